"""The commands, typed as a user would type them: what they say, what they change, how they end."""

import os
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipeline import __version__
from pipeline.cli import app
from pipeline.config.resolve import resolve
from pipeline.progress.forecast import Forecast, TableForecast
from pipeline.progress.status import RunStatus
from pipeline.progress.ticket_log import ticket_lines
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from pipeline.tables.inventory import Inventory
from tests.support.command_line import files_below, written
from tests.support.forked_commands import typed
from tests.support.in_process import run_here
from tests.support.other_process import printed_by
from tests.support.tiny_restorers import write_metricgan_plus
from tests.support.torch_kernels import KERNELS


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the small config, with a finished run in ``workspace``."""
    folder = tmp_path_factory.mktemp("small")
    config = written(folder)
    ran = typed("run", config, "--executor", "local", "--workspace", folder / "workspace")
    assert ran.returncode == 0, ran.stderr
    assert "nothing was left" not in ran.stdout
    return folder


@pytest.fixture
def own(small: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished workspace that a test may change."""
    shutil.copytree(small / "workspace", tmp_path / "own")
    return tmp_path / "own"


def test_a_finished_run_has_nothing_left(small: Path) -> None:
    """A second run does nothing and still knows where the dataset is."""
    again = run_here(small / "small.yaml", small / "workspace")

    assert again.computed == 0
    assert again.dataset == str(small / "workspace" / "dataset")


def test_plan_says_what_a_run_would_do_and_writes_nothing(small: Path, tmp_path: Path) -> None:
    """Before anything ran there are sources, hours, tickets, time and bytes, and no workspace."""
    planned = typed("plan", small / "small.yaml", "--workspace", tmp_path / "new")

    assert planned.returncode == 0, planned.stderr
    assert re.search("2 of sentences: about 2 utterances, 0:0[5-9] by their headers", planned.stdout)
    assert "6 candidates" in planned.stdout
    assert re.search(r"score\.estoi \(2 models\) +2 +0 +0:00 +rough", planned.stdout)
    assert "0 of 12 are done" in planned.stdout
    assert re.search(r"about .* of tables to come", planned.stdout)
    assert not (tmp_path / "new").exists()


def test_plan_knows_what_is_done_and_measured(small: Path) -> None:
    """What exists is done; what is left takes as long as it took here, and no file is touched."""
    before = files_below(small / "workspace")

    said = typed("plan", small / "small.yaml", "--workspace", small / "workspace").stdout
    done = _forecasts(small)
    more = _forecasts(small, "restorers.1.takes=4")

    assert "12 of 12 are done" in said
    assert "decoded" in said
    assert len(done) == 12
    assert all(table.done == table.num_shards == 1 for table in done.values())
    anew = more["restore.spectral_gate"]
    assert (anew.num_shards, anew.done, anew.basis) == (1, 0, "measured")
    assert more["restore.identity"].done == 1
    assert files_below(small / "workspace") == before


def _forecasts(small: Path, *assignments: str) -> dict[str, TableForecast]:
    """Return what ``plan`` knows of each table."""
    run, workspace = resolve(small / "small.yaml", assignments), Workspace(small / "workspace")
    graph = assemble(run, workspace, keep=False)
    tables = Forecast(graph, workspace.store, ticket_lines(workspace.ticket_log), 22_050).tables
    return {table.table.name: table for table in tables}


def test_status_of_a_finished_run(small: Path) -> None:
    """Shards, rows and pairs of every table, nobody at work, and not one file changed."""
    before = files_below(small / "workspace")

    status = typed("status", small / "workspace")

    assert status.returncode == 0, status.stderr
    assert "nobody is at work" in status.stdout
    assert "12 of 12 are done" in status.stdout
    assert re.search(r"ingest +1/1 +2 +2", status.stdout)
    assert "dataset   finished" in status.stdout
    assert files_below(small / "workspace") == before


def test_status_says_who_is_at_work(own: Path) -> None:
    """While a process holds the workspace, its number is named, and looking does not need the lock."""
    with Workspace(own).hold():
        status = typed("status", own)

    assert re.search(r"process \d+ on \S+ is at work", status.stdout)


def test_status_of_a_run_that_was_stopped(own: Path) -> None:
    """Shards that are not there are missing from the count, and the way on is named."""
    for path in own.glob("tables/prefer-*/*.parquet"):
        path.unlink()

    status = typed("status", own)

    inventory = Inventory.read(Workspace(own).inventory)
    assert inventory is not None
    tables = {table.name: table for table in RunStatus(inventory, Workspace(own).store, []).tables}
    assert {name for name, table in tables.items() if table.left} == {"prefer"}
    assert "11 of 12 are done; the run has stopped: the same command goes on" in status.stdout


def test_status_of_no_workspace(tmp_path: Path) -> None:
    """A folder in which nothing ran is a mistake of the user's."""
    status = typed("status", tmp_path)

    assert status.returncode == 2
    assert status.stderr.startswith("error: no run has begun in")


def test_prune_that_only_looks(own: Path, tmp_path: Path) -> None:
    """With --dry-run everything that would go is named, and all of it stays."""
    before = files_below(own)
    other = written(tmp_path, restorers=[{"kind": "spectral_gate", "takes": 2}])

    pruned = typed("prune", own, "--config", other, "--dry-run")

    assert pruned.returncode == 0, pruned.stderr
    assert "restore.identity-" in pruned.stdout
    assert "restore.spectral_gate-" not in pruned.stdout
    assert re.search(r"would remove 5 shards of 5 tables, .*B", pruned.stdout)
    assert files_below(own).keys() - {"lock"} == before.keys() - {"lock"}


def test_prune_removes_what_no_config_reaches(own: Path, small: Path, tmp_path: Path) -> None:
    """What the config reaches stays whole; of two configs both are kept."""
    other = written(tmp_path, restorers=[{"kind": "spectral_gate", "takes": 2}])

    both = typed("prune", own, "--config", other, "--config", small / "small.yaml")
    all_of_it = len(list(own.glob("tables/*/*.parquet")))
    pruned = typed("prune", own, "--config", other)
    left = {path.parent.name.rpartition("-")[0] for path in own.glob("tables/*/*.parquet")}

    assert (all_of_it, len(list(own.glob("tables/*/*.parquet")))) == (12, 7)
    assert "nothing to remove" in both.stdout
    assert "removing 5 shards" in pruned.stdout
    assert left == {
        *("ingest", "plan", "degrade", "restore.spectral_gate", "score.multi_resolution_stft.spectral_gate"),
        *("score.estoi.spectral_gate", "score.spectral_envelope.spectral_gate"),
    }
    assert {path.name.rpartition("-")[0] for path in own.glob("tables/*")} == left


def test_prune_needs_a_config(own: Path) -> None:
    """Without any config everything would go, so nothing does."""
    pruned = typed("prune", own)

    assert pruned.returncode == 2
    assert "--config" in pruned.stderr
    assert list(own.glob("tables/*/*.parquet"))


def test_prune_and_export_honour_the_lock(own: Path, small: Path) -> None:
    """Nothing is removed or written under a run that is at work."""
    with Workspace(own).hold():
        pruned = typed("prune", own, "--config", small / "small.yaml")
        exported = typed("export", small / "small.yaml", "--workspace", own)

    assert pruned.returncode == exported.returncode == 2
    assert str(os.getpid()) in pruned.stderr
    assert str(os.getpid()) in exported.stderr


def test_export_elsewhere_gives_the_same_dataset(small: Path, tmp_path: Path) -> None:
    """The dataset that is written again holds the same rows as the run's own."""
    exported = typed(
        "export", small / "small.yaml", "--workspace", small / "workspace", "--out", tmp_path / "pairs"
    )

    assert exported.returncode == 0, exported.stderr
    assert 'load_dataset("' in exported.stdout
    assert _pairs(tmp_path / "pairs") == _pairs(small / "workspace" / "dataset")


def test_export_of_an_unfinished_run(own: Path, small: Path) -> None:
    """What is missing is named, and no dataset is written."""
    for path in own.glob("tables/score.estoi.*/*.parquet"):
        path.unlink()

    exported = typed("export", small / "small.yaml", "--workspace", own, "--out", own / "new")

    assert exported.returncode == 2
    assert "2 of 12 tickets are missing (score.estoi.identity × 1" in exported.stderr
    assert not (own / "new").exists()


def test_export_leaves_foreign_folders_alone(small: Path, tmp_path: Path) -> None:
    """A folder that holds something else than a dataset is not swapped for one."""
    (tmp_path / "thesis.txt").write_text("years of work")

    exported = typed("export", small / "small.yaml", "--workspace", small / "workspace", "--out", tmp_path)

    assert exported.returncode == 2
    assert "'thesis.txt', which is not part of a dataset of this program" in exported.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_export_leaves_alone_what_somebody_put_beside_a_dataset(small: Path, tmp_path: Path) -> None:
    """A dataset is swapped in whole: what a clone of a repository holds besides would go with the old one."""
    own = Path(shutil.copytree(small / "workspace" / "dataset", tmp_path / "clone"))
    (own / ".git").mkdir()

    exported = typed("export", small / "small.yaml", "--workspace", small / "workspace", "--out", own)

    assert exported.returncode == 2
    assert "'.git', which is not part of a dataset of this program" in exported.stderr
    assert (own / ".git").is_dir()


def test_a_misspelled_setting(tmp_path: Path) -> None:
    """The place and the closest name, and no traceback."""
    config = written(tmp_path, restorers=[{"kind": "spectral_gat"}])
    line = config.read_text().splitlines().index("- kind: spectral_gat") + 1

    ran = typed("run", config, "--workspace", tmp_path / "workspace")

    assert ran.returncode == 2
    assert f"{config}:{line}:" in ran.stderr
    assert "did you mean 'spectral_gate'?" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "workspace").exists()


def test_the_version() -> None:
    """Asked for where one looks for it."""
    shown = typed("--version")

    assert (shown.returncode, shown.stdout) == (0, f"unanimous {__version__}\n")


def test_a_config_that_is_not_there() -> None:
    """The configs that ship are listed."""
    ran = typed("run", "dmeo")

    assert ran.returncode == 2
    assert "there is no config 'dmeo'" in ran.stderr
    assert "demo.yaml" in ran.stderr


def test_a_reason_that_is_none(small: Path, tmp_path: Path) -> None:
    """A misspelled reason is refused rather than found nowhere."""
    ran = typed("run", small / "small.yaml", "--workspace", tmp_path / "new", "--retry-failed", "timeout")

    assert ran.returncode == 2
    assert "timed_out" in ran.stderr
    assert not (tmp_path / "new").exists()


def test_doctor_of_a_config_that_could_run(small: Path) -> None:
    """Everything is there: machine, packages, models, operators, recordings."""
    doctor = typed("doctor", small / "small.yaml")

    assert doctor.returncode == 0, doctor.stdout
    assert "LACKS" not in doctor.stdout
    assert "2 recordings in" in doctor.stdout
    assert "could start here" in doctor.stdout


def test_doctor_of_a_config_that_lacks_something(tmp_path: Path) -> None:
    """Each lack has its place, a published model's environment too; the exit code says that no run could."""
    config = written(
        tmp_path,
        restorers=[{"kind": "onnx", "path": "model.onnx"}, {"kind": "flowse"}],
        speech=[{"name": "gone", "path": "gone"}],
    )

    doctor = typed("doctor", config)

    assert doctor.returncode == 2
    assert "3 things lacking" in doctor.stderr
    assert f"there is nothing at {tmp_path / 'gone'}" in doctor.stdout
    assert f"{tmp_path / 'model.onnx'} cannot be read" in doctor.stdout
    assert "the environment of flowse has no interpreter at" in doctor.stdout
    assert "the weights of flowse are not all there" in doctor.stdout
    assert "Traceback" not in doctor.stderr


def test_a_precision_that_this_processor_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said by ``doctor`` with the way out; ``run`` ends before a record is lost, if torch itself fails."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    model = {"kind": "metricgan_plus", "path": str(write_metricgan_plus(tmp_path)), "precision": "bfloat16"}
    config = written(tmp_path, restorers=[model, {"kind": "identity"}])
    is_there = printed_by(KERNELS, "lstm", "bfloat16") == "True"

    doctor = typed("doctor", config)
    run = typed("run", config, "--workspace", tmp_path / "workspace", "--executor", "local")

    assert (doctor.returncode, run.returncode) == ((0, 0) if is_there else (2, 1))
    if not is_there:
        said = "this processor cannot run metricgan_plus in bfloat16: could not create a primitive descriptor"
        assert said in doctor.stdout
        assert said in run.stderr
        assert "; set precision: float32, or run on a GPU" in run.stderr
        assert not list((tmp_path / "workspace" / "tables").glob("restore.metricgan_plus*/*.parquet"))


@pytest.mark.parametrize(
    "command", ["run", "plan", "status", "doctor", "operators", "export", "prune", "schema"]
)
def test_help_teaches_by_example(command: str) -> None:
    """The help of each command ends with something to type."""
    shown = CliRunner().invoke(app, [command, "--help"])

    assert shown.exit_code == 0
    assert f"python -m pipeline {command}" in shown.stdout.partition("Examples:")[2]


def _pairs(dataset: Path) -> list[object]:
    return [row for path in sorted(dataset.rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]
