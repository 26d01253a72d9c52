"""Journals in an object store: what a worker notes is an object, so that it outlives worker and machine."""

import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from io import BytesIO
from types import TracebackType
from typing import Any, Self

from pipeline.store.journal import JournalEntry, Place, finished_in, frame_of, in_flight_in, walk_frames
from pipeline.store.object_files import ObjectFiles
from schemas import Row

FOLDER = "journals"
BELIEVED_S = 10.0
"""How long the size of a journal is believed: it is asked for of every worker, twice a second."""


class ObjectJournals:
    """Journals below a URL, a folder of numbered objects each."""

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._sizes: dict[Place, tuple[float, int]] = {}

    def begin(self, place: Place) -> "ObjectJournal":
        """Open a ticket's journal."""
        return ObjectJournal(self._files, _folder_of(place))

    def read_finished(self, place: Place) -> dict[str, Row]:
        """Return the rows that earlier workers finished, by id."""
        return finished_in(self._entries(place))

    def read_in_flight(self, place: Place) -> tuple[str, ...]:
        """Return the records that were begun last and not finished."""
        return in_flight_in(self._entries(place))

    def size_of(self, place: Place) -> int:
        """Return how long a journal was some seconds ago; −1 where there is none."""
        now = time.monotonic()
        asked_at, size = self._sizes.get(place, (-BELIEVED_S, -1))
        if now - asked_at >= BELIEVED_S:
            sizes = [size for _, size in self._files.sizes(_folder_of(place))]
            size = sum(sizes) if sizes else -1
            self._sizes[place] = now, size
        return size

    def walk(self) -> Iterator[JournalEntry]:
        """Walk the journals that are there, in order."""
        found: defaultdict[Place, int] = defaultdict(int)
        for name, size in self._files.sizes(FOLDER):
            _, table, shard, _ = name.split("/")
            found[table, shard] += size
        yield from (JournalEntry(place, size) for place, size in sorted(found.items()))

    def remove(self, place: Place) -> None:
        """Take a journal away, if it is there."""
        self._files.remove_all(list(self._files.list(_folder_of(place))))
        self._sizes.pop(place, None)

    def remove_all(self) -> None:
        """Take all journals away."""
        self._files.remove_all(list(self._files.list(FOLDER)))
        self._sizes.clear()

    def _entries(self, place: Place) -> Iterator[tuple[int, tuple[str, Any]]]:
        for name in sorted(self._files.list(_folder_of(place))):
            if (found := self._files.read_tagged(name)) is not None:
                yield from walk_frames(BytesIO(found[0]), len(found[0]))


class ObjectJournal:
    """The journal of one ticket: an object for each batch, which also holds what the last one gave."""

    def __init__(self, files: ObjectFiles, folder: str) -> None:
        self._files = files
        self._folder = folder
        there = sorted(files.list(folder))
        self._number = int(there[-1].rpartition("/")[2].partition("-")[0]) + 1 if there else 0
        self._pending = [frame_of(("opened", ()))]
        self._is_due = bool(there)  # of a ticket that nobody has begun, that it was opened says nothing
        self._put_due()

    def note_begun(self, ids: Sequence[str]) -> None:
        """Note that these records are being worked on, and what is finished: in the store on return."""
        self._note(("began", tuple(ids)))
        self._put_due()

    def note_done(self, rows: Sequence[Row]) -> None:
        """Keep finished rows; they are put with what is begun next, or at once if nothing is."""
        self._note(("done", tuple(rows)))
        if not rows:
            self._put_due()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._put_due()

    def _note(self, entry: Any) -> None:
        self._pending.append(frame_of(entry))
        self._is_due = True

    def _put_due(self) -> None:
        if self._is_due and self._pending:
            writer = uuid.uuid4().hex[:8]  # one that was taken for dead may still write
            self._files.put(f"{self._folder}/{self._number:08d}-{writer}", b"".join(self._pending))
            self._pending.clear()
            self._number += 1


def _folder_of(place: Place) -> str:
    return f"{FOLDER}/{place[0]}/{place[1]}"
