"""Whose a workspace is, what can be one, and what happens when it is full."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.store.workspaces import JOB_VARIABLE, open_workspace
from schemas import WorkspaceError
from tests.support import operators, processes, tiny
from tests.support.forked_commands import typed


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """Return a config whose restorer waits for as long as its marker is there."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"])
    operators.write_fragile(tmp_path, "while MARKER.exists(): time.sleep(0.01)")
    operators.marker(tmp_path).touch()
    fragile = {"operators": ["fragile.py"], "restorers": [{"kind": "identity"}, {"kind": "fragile"}]}
    return tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "speech", **fragile))


def test_two_runs_in_one_workspace(waiting: Path, tmp_path: Path) -> None:
    """The second is refused and told who holds it; what a dead holder leaves is free."""
    workspace = tmp_path / "workspace"
    with processes.forked(waiting, workspace, tmp_path / "log") as first:
        processes.wait_until(lambda: bool(list(workspace.rglob("*.journal"))), first)

        second = tiny.run(waiting, workspace, "--executor", "local", check=False)

        processes.kill_all(first)
    held_by_the_dead = json.loads((workspace / "lock.json").read_text())
    operators.marker(tmp_path).unlink()
    third = tiny.run(waiting, workspace, "--executor", "local")

    assert second.returncode == 2
    assert f"another run is at work in {workspace} (process {first.pid} on " in second.stderr
    assert held_by_the_dead["pid"] == first.pid
    assert third.returncode == 0
    assert not (workspace / "lock.json").exists()


def test_not_every_url_is_a_workspace(config: Path) -> None:
    """What is no object store is refused before anything is done, and the message says what is one."""
    done = typed("run", config, "--workspace", "https://host/run")

    assert done.returncode == 2
    assert "https:// is no object store that is known here; give one of s3:// (S3)" in done.stderr


def test_a_relative_workspace_in_a_cluster_job_is_refused() -> None:
    """Inside a job a relative path is a folder of the upload, which no later job would find."""
    inside_a_job = {JOB_VARIABLE: "{}"}

    with pytest.raises(WorkspaceError, match="--workspace /shared/runs/demo"):
        open_workspace("runs/demo", "demo", inside_a_job)
    with pytest.raises(WorkspaceError, match="is relative"):
        open_workspace(None, "demo", inside_a_job)
    assert open_workspace("/shared/demo", "demo", inside_a_job).root == Path("/shared/demo")
    assert open_workspace("runs/demo", "demo", {}).root == Path.cwd() / "runs" / "demo"


def test_a_file_is_no_workspace(config: Path, tmp_path: Path) -> None:
    """A file where the folder should be is left alone."""
    (tmp_path / "file").write_text("mine")

    done = typed("run", config, "--workspace", tmp_path / "file")

    assert done.returncode == 2
    assert "is a file, not a folder" in done.stderr
    assert (tmp_path / "file").read_text() == "mine"


def _in_own_mounts(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *arguments],
        cwd=tiny.ROOT,
        env=tiny.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def _needs_mounts(folder: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare to make a small disk")
    if (tried := _in_own_mounts('mount -t tmpfs -o size=64k none "$1"', str(folder))).returncode:
        pytest.skip(f"may not mount a small disk here: {tried.stderr.strip()}")


FULL_THEN_ROOMY = """
mount -t tmpfs -o size=24576k none "$1" || exit 90
workspace="$1"; shift
head -c 23976k /dev/zero > "$workspace/ballast"
"$@"
first=$?
ls "$workspace"/tables >&2
rm "$workspace/ballast"
"$@" || exit 92
cp -r "$workspace" "$workspace.copy" || exit 93
exit $first
"""


def test_a_full_disk_stops_the_run_and_loses_nothing(
    config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """Exit code 1 and what to do; with room made, the run ends as it would have."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    _needs_mounts(workspace)
    command = tiny.command(config, workspace, "--executor", "local")

    done = _in_own_mounts(FULL_THEN_ROOMY, str(workspace), *command)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "No space left on device; make room and run again" in done.stderr
    assert "Traceback" not in done.stderr
    assert "plan-" in done.stderr, "it was full before the run had begun"
    assert tiny.files_of(tmp_path / "workspace.copy") == expected
