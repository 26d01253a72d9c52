"""Files in memory: for trying things out, and what every other kind of storage is held against."""

from collections.abc import Iterator
from io import BytesIO
from itertools import count
from threading import Lock

import pyarrow as pa

from pipeline.store.files import Content, fill


class MemoryFiles:
    """Files in the memory of this process, for all its threads."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._changes = count(1)
        self._changed: dict[str, int] = {}
        self._lock = Lock()

    def list(self, folder: str = "") -> Iterator[str]:
        """Walk the names of all files below a folder."""
        return (name for name, _ in self.sizes(folder))

    def sizes(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Walk them with how many bytes each has."""
        with self._lock:
            found = dict(self._files)
        above = f"{folder}/" if folder else ""
        return ((name, len(content)) for name, content in found.items() if name.startswith(above))

    def open(self, name: str) -> pa.NativeFile:
        """Open a file to read any part of it."""
        try:
            return pa.BufferReader(self._files[name])
        except KeyError:
            raise FileNotFoundError(f"there is no file {name!r}") from None

    def put(self, name: str, content: Content) -> None:
        """Put a file in place for good, or leave all as it was and raise."""
        written = _bytes_of(content)
        with self._lock:
            self._files[name] = written
            self._note(name)

    def put_if_absent(self, name: str, content: Content) -> bool:
        """Put a file in place unless one is there; whether it was put."""
        written = _bytes_of(content)
        with self._lock:
            if name in self._files:
                return False
            self._files[name] = written
            self._note(name)
        return True

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        with self._lock:
            if self._files.pop(name, None) is not None:
                self._note(name)

    def stamp(self, name: str) -> str:
        """Return the number of the last change to the file or the folder."""
        return str(self._changed.get(name, ""))

    def location(self, name: str = "") -> str:
        """Return a name that looks like no path."""
        return f"memory:{name}"

    def path(self, name: str) -> None:
        """Return nothing: no other library can open what is in here."""

    def _note(self, name: str) -> None:
        """Count a change to a file, and to the folder that it is in."""
        folder, _, _ = name.rpartition("/")
        self._changed[name] = self._changed[folder] = next(self._changes)


def _bytes_of(content: Content) -> bytes:
    file = BytesIO()
    fill(file, content)
    return file.getvalue()
