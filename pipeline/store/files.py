"""Files of a workspace: written whole or not at all."""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from schemas import RunError


def expand_home(text: str) -> Path:
    """Return the path, ``~`` being the user's home; a name like ``~old`` that is nobody's is left alone."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises RuntimeError for ~old


DRAFT = ".draft"


@contextmanager
def explain_full_disk(folder: Path) -> Iterator[None]:
    """Say what to do when something inside cannot be written for want of room.

    Raises ``RunError``: the next shard would meet it too.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
            raise
        raise RunError(
            f"cannot write to {folder}: {os.strerror(error.errno)}; make room and run again: finished shards "
            "stay as they are"
        ) from error


def remove_drafts(workspace: Path) -> None:
    """Remove what killed writers left behind: beside the workspace's own files, and in every table."""
    for pattern in (
        f"*{DRAFT}-*",
        f"catalogue/*{DRAFT}-*",
        f"inventories/*{DRAFT}-*",
        f"tables/*/*{DRAFT}-*",
    ):
        for draft in workspace.glob(pattern):
            draft.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes | Callable[[IO[bytes]], None]) -> None:
    """Write a draft beside ``path`` and put it in place for good, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}{DRAFT}-{socket.gethostname()}-{os.getpid()}")
    try:
        with draft.open("wb") as file:
            _fill(file, content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _fill(file: IO[bytes], content: bytes | Callable[[IO[bytes]], None]) -> None:
    if isinstance(content, bytes):
        file.write(content)
    else:
        content(file)


def sync_folder(folder: Path) -> None:
    """See the names of a folder's files on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
