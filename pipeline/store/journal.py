"""What a worker has begun and finished inside one ticket, so that another can go on from there.

A journal is a file of frames: length, CRC-32, pickle of ``("opened", ())``, ``("began", ids)`` or ``("done",
rows)``. A torn last frame is ignored. It lives beside the tables only while its ticket is in flight.
"""

import os
import pickle
import shutil
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from schemas import Row

HEADER = struct.Struct("<QI")
_SUFFIX = ".journal"


def journal_size_of(path: Path) -> int:
    """Return how long a journal is; −1 where there is none: not begun yet, or committed just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The journal of a ticket that is in flight, or whose worker was killed."""

    table: str
    shard: str
    path: Path
    num_bytes: int


def journal_in(folder: Path, table: str, shard: str) -> Path:
    """Return where the journal of a ticket lies while it is in flight."""
    return folder / table / f"{shard}{_SUFFIX}"


def walk_journals(folder: Path) -> Iterator[JournalFile]:
    """Walk the journals that are there, in order."""
    for path in sorted(folder.glob(f"*/*{_SUFFIX}")):
        yield JournalFile(
            path.parent.name, path.name.removesuffix(_SUFFIX), path, max(0, journal_size_of(path))
        )


def remove_journal(path: Path) -> None:
    """Take a journal away, if it is there."""
    path.unlink(missing_ok=True)


def remove_journals(folder: Path) -> None:
    """Take all journals away."""
    shutil.rmtree(folder, ignore_errors=True)


class Journal:
    """The journal of one ticket, open for appending."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            os.truncate(path, _whole_bytes(path))  # what is appended to a torn frame is lost with it
        self._file = path.open("ab")
        self._append(("opened", ()))  # from here on, what an earlier worker was at is not to blame

    def note_begun(self, ids: Sequence[str]) -> None:
        """Note that these records are being worked on; what kills the worker now is one of them."""
        self._append(("began", tuple(ids)))

    def note_done(self, rows: Sequence[Row]) -> None:
        """Keep finished rows."""
        self._append(("done", tuple(rows)))

    def _append(self, entry: Any) -> None:
        payload = pickle.dumps(entry, protocol=pickle.HIGHEST_PROTOCOL)
        self._file.write(HEADER.pack(len(payload), zlib.crc32(payload)) + payload)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_finished(path: Path) -> dict[str, Row]:
    """Return the rows that an earlier worker finished, by id."""
    return {row.id: row for _, (what, content) in _entries(path) if what == "done" for row in content}


def read_in_flight(path: Path) -> tuple[str, ...]:
    """Return the records that were begun last and not finished: the suspects when a worker has died."""
    last: tuple[str, ...] = ()
    for _, (what, content) in _entries(path):
        last = content if what == "began" else ()
    return last


def _whole_bytes(path: Path) -> int:
    """Return where the last whole frame ends."""
    return max((end for end, _ in _entries(path)), default=0)


def _entries(path: Path) -> Iterator[tuple[int, tuple[str, Any]]]:
    """Walk the whole frames: where each ends, and what it says."""
    if not path.is_file():
        return
    size = path.stat().st_size
    with path.open("rb") as file:
        while len(header := file.read(HEADER.size)) == HEADER.size:
            length, checksum = HEADER.unpack(header)
            if not 0 < length <= size - file.tell():  # also what a power cut leaves: zeros
                return
            payload = file.read(length)
            if zlib.crc32(payload) != checksum:
                return
            yield file.tell(), pickle.loads(payload)  # noqa: S301 - written by this run's own workers
