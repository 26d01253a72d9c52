"""Logs that are only ever added to, in files; for object stores, which cannot append: ``growing_objects``."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from pipeline.store.local_files import change_stamp_of

_SUFFIX = ".jsonl"


class Lines(Protocol):
    """Lines that are only ever added to, there or not; a class per kind of storage."""

    def append(self, line: str, *, is_synced: bool = False) -> None:
        """Add a line; it stays for good when this returns if ``is_synced``. Raises ``OSError``."""

    def read(self) -> bytes:
        """Return all that is there."""

    def lines(self) -> list[str]:
        """Return its lines, torn ones among them."""

    def stamp(self) -> str:
        """Return text that changes when a line is added."""


class LogFolder(Protocol):
    """Logs of lines by their names."""

    def log(self, name: str) -> Lines:
        """Return one of them."""

    def all(self) -> Sequence[Lines]:
        """Return those that are there, by their names."""


class TextLog(Protocol):
    """A log that people read, which several processes may add to."""

    def begin(self) -> TextIO:
        """Open it to add to it."""


@dataclass(frozen=True, slots=True)
class LineLog:
    """A file of lines, there or not."""

    path: Path

    def __str__(self) -> str:
        """Return where it is."""
        return str(self.path)

    def append(self, line: str, *, is_synced: bool = False) -> None:
        """Add a line; it is on disk when this returns if ``is_synced``.

        Raises ``OSError`` where that cannot be done, or for a link, which may lead out of the workspace.
        """
        self.path.parent.mkdir(exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            # what a kill tore stays a line of its own, which nobody reads
            start = "" if _ends_whole(descriptor) else "\n"
            os.write(descriptor, f"{start}{line}\n".encode())
            if is_synced:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> bytes:
        """Return all that is there; nothing if no line was added yet, or where none can be."""
        try:
            return self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return b""

    def lines(self) -> list[str]:
        """Return its lines, torn ones among them."""
        return self.read().decode(errors="replace").split("\n")

    def stamp(self) -> str:
        """Return text that changes when a line is added."""
        return change_stamp_of(self.path)


def log_in(folder: Path, name: str) -> LineLog:
    """Return one of the logs of a folder."""
    return LineLog(folder / f"{name}{_SUFFIX}")


def logs_in(folder: Path) -> list[LineLog]:
    """Return all logs of a folder that are there, by their names."""
    return [LineLog(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]


@dataclass(frozen=True, slots=True)
class LocalLogs:
    """Logs of lines in a folder."""

    folder: Path

    def log(self, name: str) -> LineLog:
        """Return one of them."""
        return log_in(self.folder, name)

    def all(self) -> list[LineLog]:
        """Return those that are there, by their names."""
        return logs_in(self.folder)


@dataclass(frozen=True, slots=True)
class LocalTextLog:
    """A log in a file."""

    path: Path

    def begin(self) -> TextIO:
        """Open it to add to it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.open("a", encoding="utf-8")


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
