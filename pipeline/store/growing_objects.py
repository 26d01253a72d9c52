"""Logs in an object store, which cannot append: each writer's own object, put again as it grows."""

import io
import os
import socket
import threading
import time
import uuid
from typing import Any, TextIO, cast

from pipeline.store.object_files import ObjectFiles
from schemas import RunError

PUT_EVERY_S = 10.0
"""How old what is not in the store yet may become: so much a killed process loses of its logs."""
FULL_BYTES = 2**20
"""From here on a writer begins another object, so that none is sent over and over."""


class GrowingObjects:
    """What one process adds to a log; objects are named by when they were begun, which gives their order."""

    def __init__(self, files: ObjectFiles, folder: str, suffix: str) -> None:
        self._files = files
        self._folder = folder
        self._suffix = suffix
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._begin()

    def __reduce__(self) -> tuple[Any, ...]:
        return GrowingObjects, (self._files, self._folder, self._suffix)

    def add(self, content: bytes, *, is_synced: bool = False) -> None:
        """Add to it; at once, if asked, else within ``PUT_EVERY_S``."""
        with self._lock:
            self._content += content
            self._is_dirty = True
            if is_synced:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(PUT_EVERY_S, self._flush_later)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Put what is not in the store yet. Raises ``RunError``."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._is_dirty:
                self._files.put(self._name, bytes(self._content))
                self._is_dirty = False
            if len(self._content) >= FULL_BYTES:
                self._begin()

    def read(self) -> bytes:
        """Return what all writers have added, in the order in which they began."""
        self.flush()
        found = (self._files.read_tagged(name) for name in sorted(self._files.list(self._folder)))
        return b"".join(content for content, _ in filter(None, found))

    def stamp(self) -> str:
        """Return text that changes when something is put."""
        return self._files.stamp(self._folder)

    def _begin(self) -> None:
        writer = f"{time.time_ns():020d}-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._name = f"{self._folder}/{writer}{self._suffix}"
        self._content = bytearray()
        self._is_dirty = False

    def _flush_later(self) -> None:
        try:
            self.flush()
        except RunError:  # a log is no reason to end a run: what is to be kept meets the same store
            return


class ObjectLines:
    """Lines of all writers in a folder of objects."""

    def __init__(self, files: ObjectFiles, folder: str) -> None:
        self._own = GrowingObjects(files, folder, ".jsonl")

    def append(self, line: str, *, is_synced: bool = False) -> None:
        """Add a line; it is in the store when this returns if ``is_synced``."""
        self._own.add(f"{line}\n".encode(), is_synced=is_synced)

    def flush(self) -> None:
        """Put what is not in the store yet."""
        self._own.flush()

    def read(self) -> bytes:
        """Return all that is there, and what was added here."""
        return self._own.read()

    def lines(self) -> list[str]:
        """Return its lines."""
        return self.read().decode(errors="replace").split("\n")

    def stamp(self) -> str:
        """Return text that changes when lines come to the store."""
        return self._own.stamp()


class ObjectLogs:
    """Logs of lines, a folder of objects each."""

    def __init__(self, files: ObjectFiles, folder: str) -> None:
        self._files = files
        self._folder = folder
        self._logs: dict[str, ObjectLines] = {}

    def log(self, name: str) -> ObjectLines:
        """Return one of them: always the same, so that what this process adds is in one object."""
        if name not in self._logs:
            self._logs[name] = ObjectLines(self._files, f"{self._folder}/{name}")
        return self._logs[name]

    def all(self) -> list[ObjectLines]:
        """Return those that are there, by their names."""
        above = len(self._folder) + 1
        names = {name[above:].partition("/")[0] for name in self._files.list(self._folder)}
        return [self.log(name) for name in sorted(names)]


class ObjectTextLog:
    """A log that people read, in an object per process."""

    def __init__(self, files: ObjectFiles, folder: str) -> None:
        self._files = files
        self._folder = folder

    def begin(self) -> TextIO:
        """Open it to add to it; what was added last is in the store once it is closed."""
        return cast("TextIO", _LogStream(GrowingObjects(self._files, self._folder, ".log")))


class _LogStream(io.TextIOBase):
    """What comes first is in the store at once: a process that is soon ended has left a line."""

    def __init__(self, own: GrowingObjects) -> None:
        self._own = own
        self._has_begun = False

    def write(self, text: str, /) -> int:
        self._own.add(text.encode(), is_synced=not self._has_begun)
        self._has_begun = True
        return len(text)

    def close(self) -> None:
        self._own.flush()
        super().close()
