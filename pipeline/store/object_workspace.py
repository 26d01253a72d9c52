"""A workspace in an object store: names as in a folder; logs and journals as objects of each writer."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.store.damage import DAMAGED
from pipeline.store.growing_objects import ObjectLines, ObjectLogs, ObjectTextLog
from pipeline.store.object_dataset import ObjectDataset
from pipeline.store.object_files import ObjectFiles
from pipeline.store.object_journals import ObjectJournals
from pipeline.store.object_lock import NAME, ObjectLock, is_dead_here, owner_in
from pipeline.store.workspace import Holder, Workspace

_REST_S = 10.0
"""A look at how far a run is asks for the names in each of its tables: some thirty requests."""


class ObjectWorkspace(Workspace):
    """A workspace below a URL. Nothing of it is kept on this machine, but for a dataset that is written."""

    def __init__(self, url: str) -> None:
        """Raise ``WorkspaceError`` for a URL that is none of an object store."""
        self._objects = ObjectFiles(url)
        self._keep_in(self._objects)
        self._root = None
        self.least_rest_s = _REST_S
        self.dataset = ObjectDataset(self._objects.location("dataset"))
        self.journals = ObjectJournals(self._objects)
        self.log = ObjectTextLog(self._objects, "logs/run")
        self.worker_log = ObjectTextLog(self._objects, "logs/workers")
        self.votes = ObjectLogs(self._objects, "listening")
        self._tickets = ObjectLines(self._objects, "logs/tickets")
        self.ticket_log = self._tickets

    def __str__(self) -> str:
        """Return the URL."""
        return self._objects.url

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return str(self).rpartition("/")[2]

    @property
    def free_bytes(self) -> None:
        """Nothing: a store takes what is paid for."""

    @property
    def is_there(self) -> bool:
        """Whether anything was ever made in it."""
        return next(self._objects.list(), None) is not None

    def remove_drafts(self) -> None:
        """Do nothing: an object that is being put is not there."""

    def remove_empty_folders(self) -> None:
        """Do nothing: folders are in the names."""

    def clear_places(self) -> Iterator[str]:
        """Say nothing: there are neither folders nor links."""
        return iter(())

    def set_aside(self, place: str) -> str | None:
        """Move a damaged object out of the way; return what to say of it, or None if it is not here."""
        above = f"{self._objects.url}/"
        found = self._objects.read_tagged(place.removeprefix(above)) if place.startswith(above) else None
        if found is None:
            return None
        aside = f"{DAMAGED}/{place.removeprefix(above)}.{time.time_ns()}"
        self._objects.put(aside, found[0])
        self._objects.remove(place.removeprefix(above))
        return f"moved to {aside}, and made again"

    @property
    def holder(self) -> Holder | None:
        """Who holds it, or None. Of another machine's process this one cannot tell that it has ended."""
        found = self._objects.read_tagged(NAME)
        owner = owner_in(found[0]) if found is not None else {}
        if "pid" not in owner or is_dead_here(owner):
            return None
        return Holder(int(owner["pid"]), str(owner["host"]))

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the workspace: nobody else can run in it. A dead holder's lock is free after a while.

        Raises ``WorkspaceError`` that says who holds it.
        """
        with ObjectLock(self._objects).hold():
            try:
                yield
            finally:
                self._tickets.flush()
