"""Lines that are only ever added to a file, whatever kills those who add them."""

from pathlib import Path

import pytest

from pipeline.store.line_log import LineLog, log_in, logs_in


def test_lines_are_added_behind_those_that_are_there(tmp_path: Path) -> None:
    """Each stands by itself, also after one that a kill tore; and the log's stamp changes."""
    log = log_in(tmp_path / "logs", "tickets")
    assert (log.read(), log.stamp()) == (b"", "")

    log.append("first")
    log.path.write_bytes(log.read() + b"to")
    before = log.stamp()
    log.append("second", is_synced=True)

    assert log.lines() == ["first", "to", "second", ""]
    assert log.stamp() != before


def test_no_link_leads_out_of_the_workspace(tmp_path: Path) -> None:
    """Nothing is added to what a log's name is linked to."""
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        LineLog(tmp_path / "linked").append("a line")

    assert not (tmp_path / "elsewhere").exists()


def test_logs_of_a_folder_are_found_by_their_names(tmp_path: Path) -> None:
    """In order; a folder that is not there has none."""
    for name in ("b", "a"):
        log_in(tmp_path / "logs", name).append(name)

    assert [log.lines()[0] for log in logs_in(tmp_path / "logs")] == ["a", "b"]
    assert logs_in(tmp_path / "none") == []
