"""Stopped by hand or by a scheduler: a run ends with a sentence, and loses nothing."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support import operators, processes, tiny
from tests.support.forked_commands import Forked, typed

pytestmark = pytest.mark.usefixtures("heeded_signals")

SWALLOWING = '''
"""A degradation that is told to stop while a library of its own is at work."""

import os
import signal
from contextlib import suppress
from typing import ClassVar

from stages.degradations import DEGRADATIONS, Degradation
from stages.audio.waveform import AudioSource, Waveform


@DEGRADATIONS.register
class Swallowing(Degradation):
    kind: ClassVar[str] = "swallowing"

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:
        with suppress(BaseException):
            os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("the library has failed")
'''


@pytest.mark.parametrize("command", ["run", "calibrate"])
def test_no_record_is_blamed_for_what_a_library_swallows(command: str, tmp_path: Path) -> None:
    """What it gives back then is no record's failure, and is not kept, whichever command makes the tables."""
    (tmp_path / "swallowing.py").write_text(SWALLOWING, encoding="utf-8")
    tiny.write_speech(tmp_path / "speech", ["a"])
    own = {"operators": ["swallowing.py"], "degradations": {"chain": [{"kind": "swallowing"}]}}
    config = tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "speech", **own))
    options = ["--executor", "local"] if command == "run" else []

    ended = typed(command, config, "--workspace", tmp_path / "workspace", *options)

    assert ended.returncode == 128 + signal.SIGTERM
    assert "the same command goes on from here" in ended.stderr
    assert list(tmp_path.glob("workspace/tables/plan-*/*.parquet"))
    assert not list(tmp_path.glob("workspace/tables/degrade-*/*.parquet"))


def test_a_dataset_that_is_not_finished_takes_no_room(config: Path, tmp_path: Path) -> None:
    """Who is told to stop while writing it, or has no more room, leaves nothing of it behind."""
    workspace = tmp_path / "workspace"
    draft = workspace / ".dataset.unanimous-draft"

    with processes.forked(config, workspace, tmp_path / "log") as run:
        processes.wait_until(draft.exists, run)
        run.terminate()
        run.wait(60)

    assert not draft.exists()


def test_an_export_that_is_not_finished_takes_no_room(finished: tiny.Finished) -> None:
    """Wherever it was to go. It takes a moment only: one that is done before it is told tells nothing."""
    command = ["export", str(finished.config), "--workspace", str(finished.workspace)]

    for number in range(30):
        draft = finished.folder / f".elsewhere-{number}.unanimous-draft"
        out = finished.folder / f"elsewhere-{number}"
        exporting = Forked([*command, "--out", str(out)], os.environ, [finished.folder / "log"] * 2)
        while exporting.poll() is None and not draft.exists():
            time.sleep(0.001)
        exporting.terminate()
        ended = exporting.wait(60)
        assert not draft.exists()
        if not out.exists():
            break

    assert ended == 128 + signal.SIGTERM


@pytest.mark.parametrize(("sent", "executor"), [
    (signal.SIGINT, "local"), (signal.SIGTERM, "local"), (signal.SIGHUP, "local"),
    pytest.param(signal.SIGINT, "ray", marks=pytest.mark.ray),
    pytest.param(signal.SIGTERM, "ray", marks=pytest.mark.ray),  # the one that Ray handles too
])  # fmt: skip
def test_who_is_stopped_says_how_to_go_on(executor: str, sent: signal.Signals, tmp_path: Path) -> None:
    """No traceback; the exit code is a shell's for a command that was stopped so; the next start goes on."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"])
    operators.write_fragile(tmp_path, "while MARKER.exists(): time.sleep(0.01)")
    operators.marker(tmp_path).touch()
    fragile = {"operators": ["fragile.py"], "restorers": [{"kind": "identity"}, {"kind": "fragile"}]}
    config = tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "speech", **fragile))
    workspace, log = tmp_path / "workspace", tmp_path / "log"

    with processes.started(config, workspace, "--executor", executor, log=log) as run:
        processes.wait_until(lambda: bool(list(workspace.rglob("*.journal"))), run)
        run.send_signal(sent)
        exit_code = run.wait(60)
    operators.marker(tmp_path).unlink()
    again = tiny.run(config, workspace, "--executor", "local")

    said = log.read_text()
    assert exit_code == 128 + sent
    assert said.splitlines()[-1] == "stopped; what is finished stays, and the same command goes on from here"
    assert "Traceback" not in said
    assert "pairs" in again.stdout
