"""Files in a folder: drafts beside them, which no reader sees, become files by being renamed."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from pipeline.store.files import Content, StoredFile, fill
from schemas import DamagedFileError

_DRAFT = ".draft-"


class LocalFiles:
    """Files in a folder of this machine, or of one that all machines mount. The folder need not be there."""

    def __init__(self, root: Path) -> None:
        self._root = str(root.absolute())

    def list(self, folder: str = "") -> Iterator[str]:
        """Walk the names of all files below a folder, drafts left out."""
        return (name for name, _ in _walk(self.location(folder), f"{folder}/" if folder else ""))

    def sizes(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Walk them with how many bytes each has, but for those that go meanwhile."""
        for name, entry in _walk(self.location(folder), f"{folder}/" if folder else ""):
            with suppress(FileNotFoundError):
                yield name, entry.stat().st_size

    def open(self, name: str) -> pa.NativeFile:
        """Open a file to read any part of it."""
        # by its name: to look for a file system by a path takes as long as to read a few columns
        place = f"{self._root}/{name}"
        try:
            return pa.OSFile(place)
        except OSError as error:
            if error.errno is None:
                raise
            raise type(error)(error.errno, os.strerror(error.errno), place) from error  # pyarrow names none

    def put(self, name: str, content: Content) -> None:
        """Write a draft beside the file, see it on disk, rename it, and see the folder's names on disk.

        Raises ``DamagedFileError`` where a folder has taken the name.
        """
        path = self._path(name)
        with _write_draft(path, content) as draft:
            try:
                draft.rename(path)
            except IsADirectoryError as error:
                raise DamagedFileError(str(path), "a folder lies in its place") from error

    def put_if_absent(self, name: str, content: Content) -> bool:
        """Link a draft to the name, which fails if that is taken; the file system has to know links."""
        path = self._path(name)
        if path.exists():
            return False
        with _write_draft(path, content) as draft:
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                return False
        return True

    def remove(self, name: str) -> None:
        """Take a file away; its folder stays."""
        self._path(name).unlink(missing_ok=True)

    def stamp(self, name: str) -> str:
        """Return when the file or the folder was last changed, and how large it is."""
        return change_stamp_of(self._path(name))

    def location(self, name: str = "") -> str:
        """Return the absolute path."""
        return f"{self._root}/{name}" if name else self._root

    def path(self, name: str) -> str:
        """Return the absolute path."""
        return self.location(name)

    def remove_drafts(self, *folders: str) -> None:
        """Remove what killed writers left behind in folders, whose names may be patterns."""
        for folder in folders:
            for draft in Path(self._root).glob(f"{folder}*{_DRAFT}*"):
                draft.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return Path(self._root, name)


def file_at(path: Path) -> StoredFile:
    """Return the file that somebody named by its path. Raises ``IsADirectoryError`` for a folder."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder")
    return StoredFile(LocalFiles(path.parent), path.name)


def change_stamp_of(path: Path) -> str:
    """Return when a file or a folder was last changed, and how large it is; nothing if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_mtime_ns} {status.st_size}"


def sync_folder(folder: Path) -> None:
    """See the names of a folder's files on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_empty_folders(folder: Path) -> None:
    """Remove the folders in a folder that nothing is in; nobody else may be at work there."""
    for inner in folder.glob("*/"):
        if not any(inner.iterdir()):
            inner.rmdir()


def free_bytes_at(folder: Path) -> int:
    """Return the room on the disk of a folder, which need not be there yet."""
    here = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    return shutil.disk_usage(here).free


@contextmanager
def _write_draft(path: Path, content: Content) -> Iterator[Path]:
    """Write a draft beside ``path``, which whoever asked puts in place; what is left of it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    draft = path.with_name(f"{path.name}{_DRAFT}{writer}")
    try:
        with draft.open("wb") as file:
            fill(file, content)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _walk(place: str, above: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    try:
        entries = os.scandir(place)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            if entry.is_dir():
                yield from _walk(entry.path, f"{above}{entry.name}/")
            elif _DRAFT not in (name := entry.name):
                yield above + name, entry
