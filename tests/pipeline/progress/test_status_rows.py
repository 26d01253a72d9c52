"""Which recordings were refused, and why: ``status --rows``."""

from pathlib import Path

import soundfile

from tests.support.bundled_speech import bundled
from tests.support.command_line import written
from tests.support.forked_commands import typed


def test_names_each_recording_that_was_refused(tmp_path: Path) -> None:
    """One line for each with its path, cells separated by tabs, whatever the file is called."""
    config = written(tmp_path)
    speech = tmp_path / "own"
    speech.mkdir()
    fine = bundled(1).samples
    soundfile.write(speech / "fine.wav", fine, 16_000)
    soundfile.write(speech / "blink\nof an eye.wav", fine[:800], 16_000)
    (speech / "text.wav").write_text("no audio")
    workspace = tmp_path / "workspace"
    options = ("--speech", speech, "--workspace", workspace, "--executor", "local")
    ran = typed("run", config, *options, "--set", "failure_budget=1")
    assert ran.returncode == 0, ran.stderr

    rows = typed("status", workspace, "--rows")

    assert rows.returncode == 0, rows.stderr
    blink = ["too_short", "own/blink\\nof an eye", "0.050 s, under the 0.3 s asked for"]
    text = ["unreadable", "own/text", "not audio in a known format, or damaged"]
    cells = [line.split("\t") for line in rows.stdout.splitlines()]
    assert [line for line in cells if line[0] == "ingest"] == [
        ["ingest", "unfit", *blink, f"{speech}/blink\\nof an eye.wav"],
        ["ingest", "unfit", *text, f"{speech}/text.wav"],
    ]
    assert "which ones: --rows" in typed("status", workspace).stdout
