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
from typing import IO, Any, Protocol, Self

from schemas import Row

HEADER = struct.Struct("<QI")
_SUFFIX = ".journal"


def journal_size_of(path: Path) -> int:
    """Return how long a journal is; −1 where there is none: not begun yet, or committed just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


Place = tuple[str, str]
"""The table and the shard of a ticket."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """That there is a journal: of a ticket that is in flight, or whose worker was killed."""

    place: Place
    num_bytes: int


class OpenJournal(Protocol):
    """A journal that a worker writes."""

    def note_begun(self, ids: Sequence[str]) -> None:
        """Note that these records are being worked on; what kills the worker now is one of them."""

    def note_done(self, rows: Sequence[Row]) -> None:
        """Keep finished rows."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""


class Journals(Protocol):
    """The journals of a workspace, by the place of their ticket; a class per kind of storage."""

    def begin(self, place: Place) -> OpenJournal:
        """Open a ticket's journal: from here on, what an earlier worker was at is not to blame."""

    def read_finished(self, place: Place) -> dict[str, Row]:
        """Return the rows that earlier workers finished, by id."""

    def read_in_flight(self, place: Place) -> tuple[str, ...]:
        """Return the records that were begun last and not finished: the suspects when a worker has died."""

    def size_of(self, place: Place) -> int:
        """Return how long a journal is, as it was some seconds ago; −1 where there is none."""

    def walk(self) -> Iterator[JournalEntry]:
        """Walk the journals that are there, in order."""

    def remove(self, place: Place) -> None:
        """Take a journal away, if it is there."""

    def remove_all(self) -> None:
        """Take all journals away."""


class JournalFolder:
    """Journals in a folder that all workers see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, place: Place) -> "Journal":
        """Open a ticket's journal."""
        return Journal(self._path(place))

    def read_finished(self, place: Place) -> dict[str, Row]:
        """Return the rows that earlier workers finished, by id."""
        return finished_in(_entries(self._path(place)))

    def read_in_flight(self, place: Place) -> tuple[str, ...]:
        """Return the records that were begun last and not finished."""
        return in_flight_in(_entries(self._path(place)))

    def size_of(self, place: Place) -> int:
        """Return how long a journal is; −1 where there is none."""
        return journal_size_of(self._path(place))

    def walk(self) -> Iterator[JournalEntry]:
        """Walk the journals that are there, in order."""
        for path in sorted(self._folder.glob(f"*/*{_SUFFIX}")):
            place = (path.parent.name, path.name.removesuffix(_SUFFIX))
            yield JournalEntry(place, max(0, journal_size_of(path)))

    def remove(self, place: Place) -> None:
        """Take a journal away, if it is there."""
        self._path(place).unlink(missing_ok=True)

    def remove_all(self) -> None:
        """Take all journals away."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, place: Place) -> Path:
        table, shard = place
        return self._folder / table / f"{shard}{_SUFFIX}"


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
        self._file.write(frame_of(entry))
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def frame_of(entry: Any) -> bytes:
    """Return an entry as a frame."""
    payload = pickle.dumps(entry, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def finished_in(entries: Iterator[tuple[int, tuple[str, Any]]]) -> dict[str, Row]:
    """Return the rows that earlier workers finished, by id."""
    return {row.id: row for _, (what, content) in entries if what == "done" for row in content}


def in_flight_in(entries: Iterator[tuple[int, tuple[str, Any]]]) -> tuple[str, ...]:
    """Return the records that were begun last and not finished: the suspects when a worker has died."""
    last: tuple[str, ...] = ()
    for _, (what, content) in entries:
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
        yield from walk_frames(file, size)


def walk_frames(file: IO[bytes], size: int) -> Iterator[tuple[int, tuple[str, Any]]]:
    """Walk the whole frames of an open file of ``size`` bytes: where each ends, and what it says."""
    while len(header := file.read(HEADER.size)) == HEADER.size:
        length, checksum = HEADER.unpack(header)
        if not 0 < length <= size - file.tell():  # also what a power cut leaves: zeros
            return
        payload = file.read(length)
        if zlib.crc32(payload) != checksum:
            return
        yield file.tell(), pickle.loads(payload)  # noqa: S301 - written by this run's own workers
