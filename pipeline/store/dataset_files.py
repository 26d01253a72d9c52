"""The folder of a dataset: read file by file, and replaced whole."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.store.damage import reading
from pipeline.store.files import Files
from pipeline.store.local_files import LocalFiles, change_stamp_of, sync_folder

LICENCE_FILE = "LICENSE.md"
"""What the hub looks for beside a card whose licence it has no identifier for."""


class DatasetFiles:
    """A dataset's folder, there or not: a card, what the dataset says of itself, and a folder per table.

    A dataset is written in a folder on disk, whatever the workspace is kept in: that is what people open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """For people, and for libraries that open a dataset by its folder."""
        self._files: Files = LocalFiles(folder)

    def __str__(self) -> str:
        """Return the folder as it was named."""
        return str(self.folder)

    def __eq__(self, other: object) -> bool:
        """Whether both are the same folder."""
        return isinstance(other, DatasetFiles) and self.folder.absolute() == other.folder.absolute()

    def __hash__(self) -> int:
        """Return the hash of the folder."""
        return hash(self.folder.absolute())

    @property
    def is_there(self) -> bool:
        """Whether there is such a folder."""
        return self.folder.is_dir()

    @property
    def is_taken(self) -> bool:
        """Whether anything has its name."""
        return self.folder.exists()

    def place(self, name: str) -> str:
        """Return where a file is, for people."""
        return str(self.folder / name)

    def walk(self) -> Iterator[str]:
        """Walk the names of all files, those of tables with their folder."""
        return self._files.list()

    def names(self, table: str = "") -> list[str]:
        """Return the names of all that is in the folder, or in that of a table; of files and folders."""
        folder = self.folder / table
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def read(self, name: str) -> bytes:
        """Return the bytes of a file, such as the card. Raises ``FileNotFoundError``."""
        with self._files.open(name) as file:
            content: bytes = file.read()
        return content

    def holds(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self.folder / name).is_file()

    def size_of(self, name: str) -> int | None:
        """Return how many bytes a file has; None if there is no file of this name."""
        return (self.folder / name).stat().st_size if self.holds(name) else None

    @property
    def missing_disk(self) -> Path | None:
        """What the folder is a link to, if even the folder in which that would lie is not there."""
        leads_to = self.folder.resolve()
        return leads_to if self.folder.is_symlink() and not leads_to.parent.is_dir() else None

    def write(self, name: str, text: str) -> None:
        """Write a file whole."""
        self._files.put(name, text.encode())

    @contextmanager
    def open_part(self, table: str, name: str) -> Iterator[pq.ParquetFile]:
        """Open a file of a table. Raises ``FileNotFoundError``, or ``DamagedFileError`` for no Parquet."""
        place = f"{table}/{name}"
        with (
            reading(self.place(place)),
            self._files.open(place) as source,
            pq.ParquetFile(source) as file,
        ):
            yield file

    def digest_of(self, table: str, name: str) -> str:
        """Return the SHA-256 of a file of a table."""
        with (self.folder / table / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def stamp(self) -> str:
        """Return text that changes when the dataset is replaced."""
        return change_stamp_of(self.folder)

    def make_parent(self) -> None:
        """Make the folder that it will lie in."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def replaced(self) -> Iterator["DatasetFiles"]:
        """Hand out an empty folder to write the dataset in, and put it in place once that is done.

        If anything is raised meanwhile, what was there stays, and what was written goes. A link stays one:
        what it leads to is replaced.
        """
        self.remove_leftovers()
        draft = DatasetFiles(self._beside("draft"))
        draft.folder.mkdir(parents=True)
        try:
            yield draft
        except BaseException:  # of a full disk it may be what has filled it
            shutil.rmtree(draft.folder, ignore_errors=True)
            raise
        old = self._set_aside()
        draft.folder.rename(self.folder.resolve())
        sync_folder(self.folder.resolve().parent)
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove a dataset that is no longer what its tables say, at once as seen from outside."""
        shutil.rmtree(self._set_aside(), ignore_errors=True)

    def remove_leftovers(self) -> None:
        """Remove what a killed export left beside the dataset."""
        for what in ("draft", "old"):
            shutil.rmtree(self._beside(what), ignore_errors=True)

    def _set_aside(self) -> Path:
        """Rename what is there to where it waits to be removed, and return that."""
        old = self._beside("old")
        if self.folder.exists():
            self.folder.resolve().rename(old)
        return old

    def _beside(self, what: str) -> Path:
        # names that nobody gives to folders of their own: what has them is removed
        real = self.folder.resolve()
        return real.with_name(f".{real.name}.unanimous-{what}")
