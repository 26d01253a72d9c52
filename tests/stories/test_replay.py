"""A published row can be made again from what is published about it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli.commands.replay import replay_command, replay_lines
from pipeline.dataset.published import find_published_row
from pipeline.operations.replay import Replayer
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.workspace import Workspace
from schemas import IntegrityError, UserError, WorkspaceError
from tests.support.forked_commands import typed
from tests.support.tiny import Finished, run, run_here, tiny_config, write_config, write_speech

CHAIN = [
    {"kind": "reverb", "target": "early"},
    {"one_of": [{"kind": "clipping", "threshold": 0.02}, {"kind": "bandwidth"}]},
    {"kind": "noise", "snr_db": {"uniform": [0, 10]}},
]

HALVED = """
from stages.degradations import DEGRADATIONS, Degradation

@DEGRADATIONS.register
class Halved(Degradation):
    kind = "halved"
    draws = {}

    def apply(self, speech, sources):
        return speech.scale(0.5)
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the workspace of a finished run."""
    folder = tmp_path_factory.mktemp("replay")
    write_speech(folder / "speech", ["a", "b", "c"], seconds=1.2)
    pools = {
        "noise": [{"synthesise": ["white", "pink"], "duration_s": 2}],
        "rir": [{"rooms": 1, "rt60_s": [0.2, 0.3]}],
    }
    changes = {"pools": pools, "degradations": {"chain": CHAIN, "level": "joint_peak"}}
    config = write_config(folder, tiny_config(folder / "speech", **changes))
    run_here(config, folder / "workspace")
    return folder / "workspace"


def test_every_row_is_made_again_bit_for_bit(workspace: Path) -> None:
    """Both sides of it: degraded speech, and the reference with its early reflections."""
    dataset = workspace / "dataset"
    replayer = Replayer(Workspace(workspace))
    ids = [i for file in sorted((dataset / "pairs").glob("*")) for i in _column(file)]

    replays = [replayer.replay(find_published_row(DatasetFiles(dataset), pair_id)) for pair_id in ids]

    assert replays
    assert all(replay.is_equal for replay in replays)
    assert find_published_row(DatasetFiles(dataset), str(len(ids) - 1)) == find_published_row(
        DatasetFiles(dataset), ids[-1]
    )


def test_says_what_each_step_did(workspace: Path) -> None:
    """In the order of the recipe, with the recordings that it used."""
    replay = Replayer(Workspace(workspace)).replay(
        find_published_row(DatasetFiles(workspace / "dataset"), "0")
    )

    said = "\n".join(replay_lines(replay))

    assert "1. reverb: " in said
    assert "response rir:rir-0/room-00000" in said
    assert "snr_db" in said
    assert said.endswith("the same, bit for bit")


def test_a_row_that_was_changed_is_not_the_same(workspace: Path, tmp_path: Path) -> None:
    """Here its recipe says another level of noise."""
    dataset = Path(shutil.copytree(workspace / "dataset", tmp_path / "dataset"))
    (file,) = (dataset / "pairs").glob("*.parquet")
    table = pq.read_table(file)
    rows = table.to_pylist()
    for row in rows:
        row["recipe"] = row["recipe"].replace('"snr_db":', '"snr_db":1')
        for step in row["degradation_steps"]:
            step["params"] = step["params"].replace('"snr_db": ', '"snr_db": 1')
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)

    with pytest.raises(IntegrityError, match="is not what the recipe makes here"):
        replay_command(DatasetFiles(dataset), "0", Workspace(workspace))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            lambda step: step.update(facts=step["facts"].replace('"snr_db": ', '"snr_db": 1')),
            "says of its steps",
        ),
        (lambda step: step.update(is_applied=False), "both that it was applied and that it was not"),
        (lambda step: step.update(params="{}"), "are not of the same steps"),
        (lambda step: step.update(version=99), "are not of the same steps"),
    ],
)
def test_what_a_row_says_of_its_steps_is_looked_at_too(
    changed: Callable[[dict[str, Any]], None],
    message: str,
    workspace: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The audio is right; the SNR that was measured, whether there was a step, or its settings are not."""
    dataset = Path(shutil.copytree(workspace / "dataset", tmp_path / "dataset"))
    (file,) = (dataset / "pairs").glob("*.parquet")
    table = pq.read_table(file)
    rows = table.to_pylist()
    changed(rows[0]["degradation_steps"][-1])
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)

    with pytest.raises(IntegrityError, match=message):
        replay_command(DatasetFiles(dataset), "0", Workspace(workspace))
    assert ("NOT as published: " in capsys.readouterr().out) == ("says of" in message)


def test_rows_of_an_earlier_run_are_made_from_its_tables(finished: Finished) -> None:
    """A dataset that was put aside outlives other speech, other noise and other levels in the workspace."""
    earlier = Path(shutil.copytree(finished.workspace / "dataset", finished.folder / "earlier"))
    finished.run_again(
        pools={"noise": [{"synthesise": ["pink"], "duration_s": 3}]},
        degradations={"chain": [{"kind": "noise", "snr_db": 3}], "level": "joint_peak"},
    )

    for dataset in (earlier, finished.workspace / "dataset"):
        replay_command(DatasetFiles(dataset), "0", Workspace(finished.workspace))


def test_rows_whose_tables_are_gone_say_so(finished: Finished) -> None:
    """Somebody has pruned the pool that the noise came from."""
    (pool,) = (finished.workspace / "tables").glob("pool.noise*")
    shutil.rmtree(pool)

    with pytest.raises(WorkspaceError, match=r"pool\.noise.* is not whole: 'run'"):
        replay_command(DatasetFiles(finished.workspace / "dataset"), "0", Workspace(finished.workspace))


def test_audio_of_16_bits_is_replayed_at_16_bits(finished: Finished) -> None:
    """What was rounded for the dataset is rounded again before it is compared."""
    finished.run_again(export={"audio_bits": 16})

    replay_command(DatasetFiles(finished.workspace / "dataset"), "0", Workspace(finished.workspace))


def test_says_which_rows_and_workspaces_there_are(workspace: Path, tmp_path: Path) -> None:
    """A mistake in the command is told with the way out."""
    with pytest.raises(UserError, match="give a pair_id, or a number from 0 to"):
        find_published_row(DatasetFiles(workspace / "dataset"), "nobody")
    with pytest.raises(UserError, match=re.escape(str(tmp_path))):
        find_published_row(DatasetFiles(tmp_path), "0")
    with pytest.raises(WorkspaceError, match="say with --workspace"):
        Replayer(Workspace(tmp_path))


def test_a_dataset_without_rows_has_none_to_replay(workspace: Path, tmp_path: Path) -> None:
    """And no number to give."""
    (tmp_path / "pairs").mkdir()
    (file,) = (workspace / "dataset" / "pairs").glob("*.parquet")
    pq.write_table(pq.read_table(file).slice(0, 0), tmp_path / "pairs" / file.name)

    with pytest.raises(UserError, match="has no rows"):
        find_published_row(DatasetFiles(tmp_path), "0")


def _column(file: Path) -> list[str]:
    ids: list[str] = pq.read_table(file, columns=["pair_id"]).column("pair_id").to_pylist()
    return ids


def test_ones_own_operators_are_named_again(tmp_path: Path) -> None:
    """A recipe knows an operator by its kind, not by the file that it was in."""
    write_speech(tmp_path / "speech", ["a", "b"], seconds=1.2)
    own = tmp_path / "own.py"
    own.write_text(HALVED)
    changes = {
        "operators": [str(own)],
        "degradations": {"chain": [{"kind": "halved"}, {"kind": "noise", "snr_db": 5}]},
    }
    config = write_config(tmp_path, tiny_config(tmp_path / "speech", **changes))
    run(config, tmp_path / "workspace", "--executor", "local")
    replay = ("replay", tmp_path / "workspace" / "dataset", "0")

    unnamed = typed(*replay)
    named = typed(*replay, "--operators", own)

    assert unnamed.returncode == 2
    assert "halved" in unnamed.stderr
    assert named.returncode == 0, named.stderr
    assert named.stdout.endswith("the same, bit for bit\n")
