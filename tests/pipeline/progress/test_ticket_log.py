"""The run's log of tickets: how fast models were, and what memory they took; no table knows."""

import json
from mmap import mmap
from pathlib import Path

from pipeline.execution import peak_memory
from pipeline.progress.ticket_log import TicketLine, ticket_lines
from pipeline.store.line_log import LineLog
from tests.support import tiny

MEBIBYTE = 2**20


def test_memory_that_was_given_back_counts_until_it_is_forgotten() -> None:
    """A hundred megabytes for a moment are the peak; a new measurement begins without them."""
    peak_memory.forget_peaks()
    before = peak_memory.peak_bytes()
    with mmap(-1, 100 * MEBIBYTE) as held:  # goes back to the system at once; what malloc had need not
        for start in range(0, len(held), MEBIBYTE):
            held[start : start + MEBIBYTE] = b"\x01" * MEBIBYTE
    with_it = peak_memory.peak_bytes()
    peak_memory.forget_peaks()

    assert with_it - before > 90 * MEBIBYTE
    assert peak_memory.peak_bytes() < with_it - 50 * MEBIBYTE


def test_lines_of_earlier_versions_are_still_read(tmp_path: Path) -> None:
    """What they did not measure is unknown, not wrong."""
    line = {"table": "restore.wiener", "folder": "restore.wiener-0", "shard": "00000", "finished_at_s": 1.0}
    times = {"takes": 2, "audio_s": 30.0, "inside_s": 1.0, "wall_s": 2.0, "load_s": 0.5}
    path = tmp_path / "tickets.jsonl"
    path.write_text(json.dumps({**line, **times}) + "\n")

    (read,) = ticket_lines(LineLog(path))

    assert (read.real_time_factor, read.peak_bytes) == (None, 0)


def test_a_run_notes_what_models_took(tmp_path: Path) -> None:
    """Tickets of a restoration model have its real-time factor, all tickets their peak."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"])
    config = tiny.write_config(tmp_path, tiny.tiny_config(tmp_path / "speech"))

    tiny.run(config, tmp_path / "workspace", "--executor", "local")

    lines = ticket_lines(LineLog(tmp_path / "workspace" / "logs" / "tickets.jsonl"))
    gates = [line for line in lines if line.table == "restore.spectral_gate"]
    assert gates
    assert all(_is_plausible(line) for line in gates)
    assert all(line.real_time_factor is None for line in lines if not line.table.startswith("restore"))
    assert all(line.peak_bytes > 50 * MEBIBYTE for line in lines)


def _is_plausible(line: TicketLine) -> bool:
    """Whether the model took some of the stage's time, for its takes of all audio."""
    heard_s = line.takes * line.audio_s
    factor = line.model_s / heard_s
    return 0.0 < line.model_s < line.inside_s and abs((line.real_time_factor or 0.0) - factor) < 1e-3 * factor
