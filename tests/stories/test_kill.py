"""Killed at any moment and started again, a run leaves what it would have left undisturbed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import operators, processes, rows, tiny


def _kill_after(commits: int, run: processes.Run, workspace: Path) -> None:
    processes.wait_until(lambda: processes.num_commits(workspace) >= commits, run)
    processes.kill_all(run)
    assert processes.num_commits(workspace) < tiny.TICKETS


@pytest.mark.parametrize("commits", [1, 4, 8, 13, 18])
def test_killed_in_one_process(commits: int, config: Path, tmp_path: Path, expected: dict[str, str]) -> None:
    """After kill -9 at any shard, the next start goes on, and no byte and no row differs."""
    workspace = tmp_path / "workspace"
    with processes.forked(config, workspace, config.with_suffix(".log")) as run:
        _kill_after(commits, run, workspace)

    tiny.run(config, workspace, "--executor", "local")

    assert tiny.files_of(workspace) == expected
    rows.assert_complete(workspace)


@pytest.mark.parametrize("commits", [2, 3, 9])
def test_told_to_stop(commits: int, config: Path, tmp_path: Path, expected: dict[str, str]) -> None:
    """The record that is being worked on when a scheduler says so is not blamed: it is made again."""
    workspace, log = tmp_path / "workspace", tmp_path / "log"
    with processes.forked(config, workspace, log) as run:
        processes.wait_until(lambda: processes.num_commits(workspace) >= commits, run)
        run.terminate()
        run.wait(60)

    tiny.run(config, workspace, "--executor", "local")

    assert tiny.files_of(workspace) == expected
    rows.assert_complete(workspace)


@pytest.mark.ray
@pytest.mark.parametrize("commits", [3, 14])
def test_killed_on_ray(commits: int, config: Path, tmp_path: Path, expected: dict[str, str]) -> None:
    """Driver, Ray and actors are killed at once; whoever goes on, here one process, ends with the same."""
    workspace = tmp_path / "workspace"
    options = ("--executor", "ray", "--workers", "2")
    with processes.started(config, workspace, *options, log=config.with_suffix(".log")) as run:
        _kill_after(commits, run, workspace)

    tiny.run(config, workspace, "--executor", "local")

    assert tiny.files_of(workspace) == expected
    rows.assert_complete(workspace)


def test_killed_while_the_dataset_is_written(config: Path, tmp_path: Path, expected: dict[str, str]) -> None:
    """A dataset that is half there is never taken for one."""
    workspace = tmp_path / "workspace"
    with processes.forked(config, workspace, config.with_suffix(".log")) as run:
        processes.wait_until((workspace / ".dataset.unanimous-draft").exists, run)
        processes.kill_all(run)
    assert not (workspace / "dataset").exists()
    assert (workspace / ".dataset.unanimous-draft").exists()

    tiny.run(config, workspace, "--executor", "local")

    assert tiny.files_of(workspace) == expected
    rows.assert_complete(workspace)


def test_killed_while_the_dataset_is_put_in_place(finished: tiny.Finished, expected: dict[str, str]) -> None:
    """Between taking the old dataset away and putting the new one there, nothing is lost but time."""
    (finished.workspace / "dataset").rename(finished.workspace / ".dataset.unanimous-old")
    (finished.workspace / ".dataset.unanimous-draft" / "pairs").mkdir(parents=True)

    tiny.run_here(finished.config, finished.workspace)

    assert tiny.files_of(finished.workspace) == expected
    assert not list(finished.workspace.glob(".dataset.*"))


def _whole(journal: Path) -> None:
    """Leave the journal as it is."""


def _torn(journal: Path) -> None:
    os.truncate(journal, journal.stat().st_size - 3)


def _torn_further(journal: Path) -> None:
    os.truncate(journal, journal.stat().st_size - 200)


def _with_noise(journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(bytes(range(256)))


def _with_zeros(journal: Path) -> None:
    with journal.open("ab") as file:
        file.write(bytes(64))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of two runs of one config: undisturbed, and killed by its second record."""
    folder = tmp_path_factory.mktemp("killed")
    tiny.write_speech(folder / "speech", ["a", "c"])
    tiny.write_clip(folder / "speech" / "b.wav", 1, 1.1)
    operators.write_fragile(folder, "if tenths == 11: os.kill(os.getpid(), signal.SIGKILL)")
    fragile = {"operators": ["fragile.py"], "restorers": [{"kind": "identity"}, {"kind": "fragile"}]}
    settings = tiny.cheap_config(folder / "speech", shard_seconds=60, **fragile)
    config = tiny.write_config(folder, settings)
    tiny.run(config, folder / "undisturbed", "--executor", "local")
    operators.marker(folder).touch()
    assert tiny.run(config, folder / "killed", "--executor", "local", check=False).returncode == -9
    operators.marker(folder).unlink()
    return folder


@pytest.mark.parametrize("damage", [_whole, _torn, _torn_further, _with_noise, _with_zeros])
def test_a_journal_that_was_cut_off(damage: Callable[[Path], None], killed: Path, tmp_path: Path) -> None:
    """What can be read of a journal is used, what cannot is done again, and the shard is the same."""
    workspace = tmp_path / "workspace"
    shutil.copytree(killed / "killed", workspace)
    (journal,) = workspace.rglob("*.journal")
    damage(journal)

    tiny.run(killed / "tiny.yaml", workspace, "--executor", "local")

    assert tiny.files_of(workspace) == tiny.files_of(killed / "undisturbed")
    rows.assert_complete(workspace)


def test_drafts_of_killed_writers_are_removed(finished: tiny.Finished) -> None:
    """Wherever a writer was killed, its draft does not stay."""
    workspace = finished.workspace
    table = next(workspace.glob("tables/*"))
    for folder in (workspace, workspace / "catalogue", table):
        (folder / "x.draft-host-1").touch()
    shutil.copytree(workspace / "dataset", workspace / ".dataset.unanimous-old")

    tiny.run_here(finished.config, workspace)

    rows.assert_complete(workspace)
    assert not (workspace / ".dataset.unanimous-old").exists()
