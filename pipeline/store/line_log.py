"""Files of lines that are only ever added to. They stay on a disk: object stores cannot append."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.store.local_files import change_stamp_of

_SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class LineLog:
    """A file of lines, there or not."""

    path: Path

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


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
