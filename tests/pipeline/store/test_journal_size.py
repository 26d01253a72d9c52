"""How long a journal is, asked by another process than the one that writes it."""

import threading
from pathlib import Path

from pipeline.store.journal import journal_size_of


def test_a_journal_that_is_not_there_has_a_size_of_its_own(tmp_path: Path) -> None:
    """Neither begun nor committed tickets have one."""
    (tmp_path / "00001.journal").write_bytes(b"1234")

    assert journal_size_of(tmp_path / "00001.journal") == 4
    assert journal_size_of(tmp_path / "00002.journal") == -1
    assert journal_size_of(tmp_path / "no folder" / "00002.journal") == -1


def test_a_journal_may_vanish_while_it_is_asked_for(tmp_path: Path) -> None:
    """A worker commits whenever it likes: whoever looks sees a size or none, and never an error."""
    path = tmp_path / "00001.journal"
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            path.write_bytes(b"1234")
            path.unlink()

    worker = threading.Thread(target=come_and_go)
    worker.start()
    try:
        assert {journal_size_of(path) for _ in range(5_000)} <= {-1, 0, 4}
    finally:
        stop.set()
        worker.join()
