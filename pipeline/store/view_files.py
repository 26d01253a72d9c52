"""The files of a view of a dataset: recordings by name, each once, and lines of text."""

from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

AUDIO_FOLDER = "audio"


class ViewFiles:
    """Writes a view into a folder that is there; a recording that was written is not written again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._open: dict[str, IO[str]] = {}
        self._written: set[str] = set()
        self.lines: dict[str, int] = {}
        """How many lines each file has."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def num_recordings(self) -> int:
        """How many recordings were written."""
        return len(self._written)

    def add_audio(self, name: str, flac: bytes) -> str:
        """Write a recording, and return its path below the folder. ``name`` may have one folder in it."""
        path = f"{AUDIO_FOLDER}/{name}.flac"
        if path not in self._written:
            place = self._folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(flac)
            self._written.add(path)
        return path

    def add_line(self, file: str, text: str) -> None:
        """Add a line to a text file."""
        if file not in self._open:
            path = self._folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[file] = self._stack.enter_context(path.open("w", encoding="utf-8"))
            self.lines[file] = 0
        self._open[file].write(f"{text}\n")
        self.lines[file] += 1
