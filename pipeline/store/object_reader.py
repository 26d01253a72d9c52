"""One object, open to be read: whole if it is small, else by ranges of one and the same version."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa

WHOLE_BYTES = 2**20
"""What is fetched with the first request: all of most files, and the size of the others."""
Asking = Callable[[str, str], AbstractContextManager[None]]
"""Says in words what a store refuses."""


def open_ranged(library: Any, store: Any, name: str, asking: Asking) -> pa.NativeFile:
    """Open an object. Raises ``FileNotFoundError``."""
    try:
        found = library.get(store, name, options={"range": (0, WHOLE_BYTES)})
    except library.exceptions.GenericError:  # what an empty one answers, which has no first byte
        if library.head(store, name)["size"]:
            raise
        return pa.BufferReader(b"")
    head, meta = found.bytes(), found.meta
    if meta["size"] <= WHOLE_BYTES:
        return pa.BufferReader(pa.py_buffer(head))
    return pa.PythonFile(ObjectReader(library, store, meta, asking), mode="r")


class ObjectReader(io.RawIOBase):
    """A large object, of which each read asks for its range."""

    def __init__(self, library: Any, store: Any, meta: Any, asking: Asking) -> None:
        self._library = library
        self._store = store
        self._name, self._size, self._tag = meta["path"], int(meta["size"]), meta["e_tag"]
        self._asking = asking
        self._place = 0

    def read(self, num_bytes: int | None = -1, /) -> bytes:
        """Return so many bytes, or all that are left."""
        left = max(0, self._size - self._place)
        wanted = left if num_bytes is None or num_bytes < 0 else min(num_bytes, left)
        if not wanted:
            return b""
        options = {"range": (self._place, self._place + wanted), "if_match": self._tag}
        with self._asking("read", self._name):
            content = self._library.get(self._store, self._name, options=options).bytes()
        self._place += wanted
        return bytes(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, counted from the start, from here, or from the end."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read from any place: it can."""
        return True

    def size(self) -> int:
        """Return how many bytes the object has."""
        return self._size
