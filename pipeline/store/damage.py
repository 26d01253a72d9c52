"""Files that are not what was written: said with their name, and moved aside so that they are made again."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from schemas import DamagedFileError

DAMAGED = "damaged"
"""The folder of a workspace that damaged files are moved to. Nothing reads it: it may be removed."""
_THE_FILES = frozenset({None, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EINVAL})
"""What comes of a file that is none, or has wrong numbers in it. All else is what a machine refuses."""


@contextmanager
def reading(place: str) -> Iterator[None]:
    """Turn what comes of reading a damaged file inside into ``DamagedFileError`` that names it.

    What is not there is no damage: ``FileNotFoundError`` stays what it is, but for a link to nothing.
    """
    try:
        yield
    except FileNotFoundError as error:
        if not Path(place).is_symlink():
            raise
        raise DamagedFileError(place, "a link to what is not there") from error
    except OSError as error:
        if error.errno not in _THE_FILES:
            raise
        raise DamagedFileError(place, _why(error)) from error
    except (pa.ArrowException, ValueError, TypeError, KeyError) as error:
        raise DamagedFileError(place, _why(error)) from error


def _why(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    first, _, _ = said.partition("\n")
    return first or type(error).__name__


def set_aside(path: Path, workspace: Path) -> str:
    """Move a damaged file, or what lies in its place, out of the way; return what there is to say of it."""
    within = path.relative_to(workspace)
    aside = workspace / DAMAGED / within
    number = 0
    while os.path.lexists(aside):
        number += 1
        aside = (workspace / DAMAGED / within).with_name(f"{within.name}.{number}")
    aside.parent.mkdir(parents=True, exist_ok=True)
    path.rename(aside)
    return f"moved to {aside.relative_to(workspace)}, and made again"
