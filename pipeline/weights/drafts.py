"""Drafts of downloads: what is there of a file that is not whole yet, and room for the rest."""

import os
import shutil
from pathlib import Path

from pipeline.text import format_bytes
from schemas import MissingWeightsError
from stages.weights.files import CACHE_VARIABLE, WeightFile


class Draft:
    """A file that is not whole yet, and which version of it the server had when it was begun."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version = path.with_name(f"{path.name}.version")

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def version(self) -> str:
        """The server's name for what was begun; empty if it gave none."""
        return self._version.read_text() if self._version.is_file() else ""

    def begin(self, version: str) -> None:
        """Start anew."""
        self.path.write_bytes(b"")
        self._version.write_text(version)

    def discard(self) -> None:
        """Leave nothing behind."""
        self.path.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Put the file in its place, at once as seen from outside."""
        with self.path.open("rb") as written:
            os.fsync(written.fileno())
        self.path.replace(target)
        self._version.unlink(missing_ok=True)


def draft_of(target: Path) -> Draft:
    """Return what is there of a file that is not whole yet."""
    return Draft(target.with_name(f".{target.name}.part"))


def bytes_to_come(file: WeightFile, folder: Path) -> int:
    """Return how much of ``file`` is still to be fetched, as far as its size is known."""
    return max(0, (file.size_bytes or 0) - draft_of(folder / file.name).size)


def check_room(folder: Path, num_bytes: int) -> None:
    """Raise ``MissingWeightsError`` unless so many more bytes fit into ``folder``."""
    free = shutil.disk_usage(folder).free
    if num_bytes > free:
        raise MissingWeightsError(
            f"{format_bytes(num_bytes)} are to come, and {folder} has room for {format_bytes(free)}: "
            "make room, or name "
            f"another cache with --cache or {CACHE_VARIABLE}"
        )
