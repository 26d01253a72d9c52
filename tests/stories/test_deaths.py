"""What one bad record may cost: its own row, and nothing of its neighbours."""

from pathlib import Path

import psutil
import pytest

from tests.support import operators, processes, rows, tiny

CLIPS = {"crashes": 1.1, "hangs": 1.2, "exits": 1.3, "raises": 1.4, "not_finite": 1.5, "fine": 1.6}
ACTS = """
            if tenths == 11: os._exit(1)
            if tenths == 12: time.sleep(3600)
            if tenths == 13: sys.exit(0)
            if tenths == 14: raise ValueError("bad at /some/address/0x7f01")
            if tenths == 15: return waveform.with_samples(waveform.samples * np.float32("nan"))
""".strip()
WITHOUT_VALUE = {
    "crashes": "failed/crashed",
    "hangs": "failed/timed_out",
    "exits": "failed/error",
    "raises": "failed/error",
    "not_finite": "failed/not_finite",
    "fine": "ok",
}
FRAGILE = {
    "operators": ["fragile.py"],
    "restorers": [{"kind": "identity"}, {"kind": "fragile"}],
    "deadline_s": 8,
    "failure_budget": 0.9,
}


def _corpus(folder: Path, names: list[str], shard_seconds: float = 0.5, **changes: object) -> Path:
    for number, name in enumerate(names):
        tiny.write_clip(folder / "speech" / f"{name}.wav", number, CLIPS[name])
    settings = tiny.cheap_config(folder / "speech", **{**FRAGILE, **changes}, shard_seconds=shard_seconds)
    return tiny.write_config(folder, settings)


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run of all clips on which nothing failed."""
    folder = tmp_path_factory.mktemp("unharmed")
    operators.write_fragile(folder, ACTS)
    config = _corpus(folder, list(CLIPS))
    tiny.run(config, folder / "workspace", "--executor", "local")
    return folder


@pytest.fixture(scope="module")
def harmed(unharmed: Path) -> Path:
    """Return the workspace of a run on Ray of the same config, with a restorer that does its worst."""
    operators.marker(unharmed).touch()
    workspace = unharmed / "harmed"
    tiny.run(unharmed / "tiny.yaml", workspace, "--executor", "ray", "--workers", "2")
    operators.marker(unharmed).unlink()
    return workspace


@pytest.mark.ray
def test_each_kind_of_death_is_one_row(harmed: Path) -> None:
    """Crash, hang, exit, exception and NaN: each is its row's reason; the neighbour is fine."""
    assert rows.outcomes(harmed, "restore.fragile") == WITHOUT_VALUE


@pytest.mark.ray
def test_who_took_too_long_is_told_what_to_change(harmed: Path) -> None:
    """A model that is slow and does not hang is given more time by a setting."""
    assert "deadline_s" in str(rows.details(harmed, "restore.fragile")["hangs"])


@pytest.mark.ray
def test_other_models_do_not_notice(harmed: Path) -> None:
    """What another model made of the same clips is there, and so are its scores."""
    ok = dict.fromkeys(WITHOUT_VALUE, "ok")

    assert rows.outcomes(harmed, "restore.identity") == ok
    assert rows.outcomes(harmed, "score.multi_resolution_stft.identity") == ok
    rows.assert_complete(harmed)


@pytest.mark.ray
def test_what_has_no_value_is_skipped_downstream(harmed: Path) -> None:
    """A score of nothing is nothing's fault: it is skipped, not failed a second time."""
    scored = rows.outcomes(harmed, "score.multi_resolution_stft.fragile")

    failed = {name for name, outcome in WITHOUT_VALUE.items() if outcome != "ok"}
    assert scored == {n: "skipped/no_value_upstream" if n in failed else "ok" for n in WITHOUT_VALUE}


@pytest.mark.ray
def test_tables_hold_no_words_of_foreign_exceptions(harmed: Path) -> None:
    """Addresses and paths go to the log; else two runs would differ."""
    for path in harmed.glob("tables/*/*.parquet"):
        assert b"/some/address" not in path.read_bytes()
    assert "/some/address" in (harmed / "logs" / "workers.log").read_text()


@pytest.mark.ray
def test_failures_without_luck_are_the_same_bytes_in_one_process(harmed: Path, tmp_path: Path) -> None:
    """Exit, exception and NaN fail alike under both executors."""
    survivable = ACTS.replace("tenths == 11", "False").replace("tenths == 12", "False")
    operators.write_fragile(tmp_path, survivable)
    operators.marker(tmp_path).touch()
    config = _corpus(tmp_path, list(CLIPS))

    tiny.run(config, tmp_path / "local", "--executor", "local")

    local, ray = tiny.files_of(tmp_path / "local"), tiny.files_of(harmed)
    differing = {path for path in local.keys() | ray.keys() if local.get(path) != ray.get(path)}
    luck = {"00000", "00003"}  # shards go by name: crashes is the first clip, hangs the fourth
    assert local.keys() == ray.keys()
    assert {Path(path).stem.partition("-")[0] for path in differing if "tables" in path} == luck


@pytest.mark.ray
def test_mended_and_retried_it_is_as_if_nothing_had_been(harmed: Path, unharmed: Path) -> None:
    """--retry-failed makes the failed shards and their descendants again, and no other."""
    before = {path: path.stat().st_mtime_ns for path in harmed.glob("tables/*/*.parquet")}

    tiny.run(unharmed / "tiny.yaml", harmed, "--executor", "local", "--retry-failed", "any")

    after = {path: path.stat().st_mtime_ns for path in harmed.glob("tables/*/*.parquet")}
    again = {str(path.relative_to(harmed)) for path in after if after[path] != before.get(path)}
    assert tiny.files_of(harmed) == tiny.files_of(unharmed / "workspace")
    assert tiny.tables_of(again) == {"restore.fragile", "score.multi_resolution_stft.fragile", "prefer"}
    assert len(again) == 3 * 5


@pytest.mark.ray
def test_a_worker_that_is_told_to_end_blames_no_record(tmp_path: Path) -> None:
    """As Ray tells those of a run that is stopped, and of a machine that goes: the record is made again."""
    operators.write_fragile(tmp_path, "MARKER.unlink(); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)")
    config = _corpus(tmp_path, ["fine"])
    operators.marker(tmp_path).touch()

    done = tiny.run(config, tmp_path / "workspace", "--executor", "ray", "--workers", "1")

    assert rows.outcomes(tmp_path / "workspace", "restore.fragile") == {"fine": "ok"}, done.stdout


@pytest.mark.ray
def test_a_worker_that_is_killed_from_outside_costs_nothing(
    config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """An actor that dies once with a ticket in its hands is replaced, and no byte differs."""
    workspace = tmp_path / "workspace"

    with processes.started(
        config, workspace, "--executor", "ray", "--workers", "2", log=tmp_path / "log"
    ) as run:
        processes.wait_until(lambda: processes.num_commits(workspace) >= 6, run)
        victim = _at_work(run)
        victim.kill()
        code = run.wait(processes.PATIENCE_S)

    assert code == 0, (tmp_path / "log").read_text()
    assert tiny.files_of(workspace) == expected


def _at_work(run: processes.Run) -> psutil.Process:
    """Return an actor of the run that has a ticket."""
    found: list[psutil.Process] = []

    def look() -> bool:
        titles = {member: "".join(member.cmdline()) for member in processes.descendants(run)}
        found.extend(member for member, title in titles.items() if title.startswith("ray::") and "[" in title)
        return bool(found)

    processes.wait_until(look, run)
    return found[0]


def test_all_rows_failing_ends_the_run(tmp_path: Path) -> None:
    """A model that fails on everything is found out early: exit code 3, and the most frequent reason."""
    operators.write_fragile(tmp_path, 'raise ValueError("always")')
    operators.marker(tmp_path).touch()
    config = _corpus(tmp_path, list(CLIPS), failure_budget=0.01)

    done = tiny.run(config, tmp_path / "workspace", "--executor", "local", check=False)

    assert done.returncode == 3
    assert "restore.fragile failed" in done.stderr
    assert "error × 4" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_budget_no_failure(tmp_path: Path) -> None:
    """With a budget of 0 one failed row ends the run, and again when it is just started again."""
    operators.write_fragile(tmp_path, ACTS)
    operators.marker(tmp_path).touch()
    config = _corpus(tmp_path, ["fine", "raises"], failure_budget=0)

    first = tiny.run(config, tmp_path / "workspace", "--executor", "local", check=False)
    second = tiny.run(config, tmp_path / "workspace", "--executor", "local", check=False)
    operators.marker(tmp_path).unlink()
    mended = tiny.run(config, tmp_path / "workspace", "--executor", "local", "--retry-failed", "error")

    assert (first.returncode, second.returncode, mended.returncode) == (3, 3, 0)
    assert "1 of" in first.stderr
    assert set(rows.outcomes(tmp_path / "workspace", "restore.fragile").values()) == {"ok"}


def test_missing_weights_stop_the_run_with_what_to_do(tmp_path: Path) -> None:
    """What every record would meet is no record's failure: exit code 1, no row, no shard of that model."""
    operators.write_fragile(tmp_path, load='raise MissingWeightsError("fetch them with: get fragile")')
    config = _corpus(tmp_path, ["fine"])

    done = tiny.run(config, tmp_path / "workspace", "--executor", "local", check=False)

    assert done.returncode == 1
    assert "fetch them with: get fragile" in done.stderr
    assert "Traceback" not in done.stderr
    assert rows.outcomes(tmp_path / "workspace", "restore.fragile") == {}


@pytest.mark.parametrize("load", ['raise ValueError("no model")', "sys.exit(0)"])
def test_a_model_that_cannot_be_loaded_stops_the_run(load: str, tmp_path: Path) -> None:
    """Whatever loading does, it is said which table could not be made, and the exit code is 1."""
    operators.write_fragile(tmp_path, load=load)
    config = _corpus(tmp_path, ["fine"])

    done = tiny.run(config, tmp_path / "workspace", "--executor", "local", check=False)

    assert done.returncode == 1
    assert "restore.fragile cannot be loaded" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_process_does_not_survive_a_crash_but_names_the_record(tmp_path: Path) -> None:
    """The local executor dies with its operator; the next start says at which record."""
    operators.write_fragile(tmp_path, ACTS)
    operators.marker(tmp_path).touch()
    config = _corpus(tmp_path, ["crashes", "fine"], shard_seconds=60)

    crashed = tiny.run(config, tmp_path / "workspace", "--executor", "local", check=False)
    operators.marker(tmp_path).unlink()
    again = tiny.run(config, tmp_path / "workspace", "--executor", "local")

    assert crashed.returncode == 1
    assert "an earlier run ended at restore.fragile[0], record clips/crashes" in again.stdout
