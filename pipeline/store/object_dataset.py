"""A dataset in an object store: written in a folder here, then put object by object, what names it last."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.object_files import ObjectFiles
from schemas import WorkspaceError

_READ_BYTES = 8 * 2**20


class ObjectDataset(DatasetFiles):
    """A dataset below a URL. Files at its top say what it is: they come last and go first."""

    def __init__(self, url: str) -> None:
        self._objects = ObjectFiles(url)
        self._files = self._objects

    def __str__(self) -> str:
        """Return the URL."""
        return self._objects.url

    def __eq__(self, other: object) -> bool:
        """Whether both are at the same URL."""
        return isinstance(other, ObjectDataset) and str(self) == str(other)

    def __hash__(self) -> int:
        """Return the hash of the URL."""
        return hash(str(self))

    @property
    def folder(self) -> Path:  # type: ignore[override]
        """Raise ``WorkspaceError``: there is none."""
        raise WorkspaceError(
            f"the dataset {self} is in an object store, and this takes one in a folder: 'export --out "
            "FOLDER' writes it there"
        )

    @property
    def is_there(self) -> bool:
        """Whether there is any object."""
        return next(self._objects.list(), None) is not None

    @property
    def is_taken(self) -> bool:
        """Whether there is any object."""
        return self.is_there

    @property
    def missing_disk(self) -> None:
        """Nothing: there are no links."""

    def place(self, name: str) -> str:
        """Return the URL of a file."""
        return self._objects.location(name)

    def names(self, table: str = "") -> list[str]:
        """Return the names of all that is in it, or in a table; of objects and folders."""
        above = len(table) + 1 if table else 0
        return sorted({name[above:].partition("/")[0] for name in self._objects.list(table)})

    def holds(self, name: str) -> bool:
        """Whether there is an object of this name."""
        return self.size_of(name) is not None

    def size_of(self, name: str) -> int | None:
        """Return how many bytes an object has; None if it is not there."""
        return self._objects.size(name)

    def digest_of(self, table: str, name: str) -> str:
        """Return the SHA-256 of a file of a table."""
        digest = hashlib.sha256()
        with self._objects.open(f"{table}/{name}") as file:
            while content := file.read(_READ_BYTES):
                digest.update(content)
        return digest.hexdigest()

    def stamp(self) -> str:
        """Return text that changes when the dataset is replaced."""
        return self._objects.stamp("")

    def make_parent(self) -> None:
        """Do nothing: folders are in the names."""

    @contextmanager
    def replaced(self) -> Iterator[DatasetFiles]:
        """Hand out an empty folder to write the dataset in, and put it in place once that is done.

        If anything is raised meanwhile, what was there stays. While objects are put nothing says that they
        are a dataset; a run that is killed then leaves them so, and the same command puts them again.
        """
        with tempfile.TemporaryDirectory(prefix="unanimous-dataset-") as folder:
            draft = DatasetFiles(Path(folder) / "dataset")
            draft.folder.mkdir()
            yield draft
            written = sorted(draft.walk(), key=_order)
            self._remove(name for name in self._objects.list() if name not in written or "/" not in name)
            for name in written:
                self._objects.put_file(name, draft.folder / name)

    def discard(self) -> None:
        """Remove a dataset that is no longer what its tables say."""
        self._remove(self._objects.list())

    def remove_leftovers(self) -> None:
        """Do nothing: what a killed export has left are objects of these names, which are put again."""

    def _remove(self, names: Iterator[str]) -> None:
        for name in sorted(names, key=_order, reverse=True):
            self._objects.remove(name)


def _order(name: str) -> tuple[bool, bool, str]:
    """Pairs, then other tables, then what is at the top: what is left of a dataset is known by its pairs."""
    return "/" not in name, not name.startswith("pairs/"), name
