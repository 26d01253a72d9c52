"""The door to storage: a handful of operations on whole files, whatever they are kept in."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from schemas import RunError

Content = bytes | Callable[[IO[bytes]], None]
"""What is put into a file: its bytes, or what writes them into an open one."""


class Files(Protocol):
    """Files below a root, each whole or not there. Names are relative and have ``/`` between folders.

    One class per kind of storage; all of them pass
    ``tests/pipeline/store/test_files.py``.
    """

    def list(self, folder: str = "") -> Iterator[str]:
        """Walk the names of all files below a folder, in any order; none if it is not there."""

    def sizes(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Walk them as ``list`` does, with how many bytes each has."""

    def open(self, name: str) -> pa.NativeFile:
        """Open a file to read any part of it. Raises ``FileNotFoundError``."""

    def put(self, name: str, content: Content) -> None:
        """Put a file in place for good, over the one that is there, or leave all as it was and raise."""

    def put_if_absent(self, name: str, content: Content) -> bool:
        """Put a file in place unless one is there; whether it was put. Of several at once, one succeeds."""

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""

    def stamp(self, name: str) -> str:
        """Return text that changes when the file, or one directly in the folder, comes, goes or is put."""

    def location(self, name: str = "") -> str:
        """Return where a file is, in words that people recognise."""

    def path(self, name: str) -> str | None:
        """Return the absolute path that other libraries can open a file by; None if they cannot."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file, there or not."""

    files: Files
    name: str

    def __str__(self) -> str:
        """Return where it is."""
        return self.files.location(self.name)

    def read(self) -> bytes:
        """Return its bytes. Raises ``FileNotFoundError``."""
        with self.files.open(self.name) as file:
            content: bytes = file.read()
        return content

    def read_if_there(self, num_bytes: int | None = None) -> bytes | None:
        """Return its bytes, or so many of the first; None if it is not there."""
        with suppress(FileNotFoundError), self.files.open(self.name) as file:
            content: bytes = file.read(num_bytes)
            return content
        return None

    def read_ends(self, num_bytes: int) -> tuple[bytes, bytes] | None:
        """Return so many of its first bytes, and so many of its last; None if it is not there."""
        with suppress(FileNotFoundError), self.files.open(self.name) as file:
            head: bytes = file.read(num_bytes)
            file.seek(max(0, file.size() - num_bytes))
            return head, file.read()
        return None

    def stamp(self) -> str:
        """Return text that changes when it comes, goes or is put."""
        return self.files.stamp(self.name)

    def put(self, content: Content) -> None:
        """Write it whole, or not at all."""
        self.files.put(self.name, content)


def fill(file: IO[bytes], content: Content) -> None:
    """Write ``content`` into an open file."""
    if isinstance(content, bytes):
        file.write(content)
    else:
        content(file)


def expand_home(text: str) -> Path:
    """Return the path, ``~`` being the user's home; a name like ``~old`` that is nobody's is left alone."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises RuntimeError for ~old


@contextmanager
def explain_full_disk(place: object, kept: str = "finished shards stay as they are") -> Iterator[None]:
    """Say what to do when something inside cannot be written for want of room, and what is ``kept``.

    Raises ``RunError``: the next shard would meet it too.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
            raise
        raise RunError(
            f"cannot write to {place}: {os.strerror(error.errno)}; make room and run again: {kept}"
        ) from error
