"""Stopped by hand or by a scheduler: a run ends with a sentence, and loses nothing."""

import signal
from collections.abc import Iterator
from pathlib import Path

import operators
import processes
import pytest
import tiny


@pytest.fixture(autouse=True)
def _heed_ctrl_c() -> Iterator[None]:
    """Undo what a script does to tests in its background, and nohup: all of them ignore a signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGHUP, hung_up)


@pytest.mark.parametrize("executor", ["local", pytest.param("ray", marks=pytest.mark.ray)])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
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
