"""The audio that a source names: opened for the stages, and measured from outside for the shards."""

import hashlib
import io
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from pipeline.sources.object_audio import open_object
from pipeline.sources.saved_datasets import open_row
from pipeline.store.object_urls import is_store_url
from schemas import BrokenError, Reason, Source
from stages.ingest.durations import estimate_file_s

UNREADABLE_S = 1.0
HELD_BYTES = 16_000_000
"""Files of up to this many bytes are read once: what was compared is what is decoded."""


def open_source(source: Source) -> BinaryIO:
    """Return the file, or the audio in the row of a dataset, that ``source`` names.

    What is read is what was listed: raises ``BrokenError`` (``CHANGED``) if the bytes are not those of
    ``content``, where the listing has one, or are not there any more. Raises ``OSError`` for other trouble.
    """
    try:
        file = _open_as_it_is(source.path, source.row, source.audio, source.content)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        if not source.content:
            raise
        why = error.strerror or "it is not there"
        raise BrokenError(Reason.CHANGED, f"listed, and cannot be opened now: {why}") from error
    if not source.content:
        return file
    return _compared(file, source.content)


def place_of(source: Source) -> str:
    """Return where a recording is looked for."""
    return source.path if source.row is None else f"{source.path}, row {source.row}"


def _compared(file: BinaryIO, content: str) -> BinaryIO:
    """Return what is in ``file``, from its beginning, if its digest is ``content``."""
    if _size(file) <= HELD_BYTES:
        with file:
            file = io.BytesIO(file.read())
    digest = _sha256(file) if isinstance(file, io.BytesIO) else _digest_of(_Seen(_looks_of(file), file))
    if digest != content:
        file.close()
        raise BrokenError(Reason.CHANGED, "its bytes are not those that were listed")
    file.seek(0)
    return file


@dataclass(frozen=True)
class _Seen:
    """A file as it looked when it was opened."""

    looks: tuple[int, ...]
    file: BinaryIO = field(compare=False)


def _looks_of(file: BinaryIO) -> tuple[int, ...]:
    """Return which file it is, its size and its times."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=64)
def _digest_of(seen: _Seen) -> str:
    """Return the digest, once for all stretches of a long recording."""
    return _sha256(seen.file)


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # any binary file will do


def _open_as_it_is(path: str, row: int | None, audio: str | None, content: str) -> BinaryIO:
    if is_store_url(path):
        return open_object(path, content)
    if row is not None:
        return open_row(path, row, audio)
    return Path(path).open("rb")


def estimate_duration_s(source: Source) -> float:
    """Return about how many seconds ``source`` holds, from its header and its size, without decoding.

    A header that claims more than the file can hold is not believed. 1.0 for what cannot be read.
    """
    if not source.content:
        return UNREADABLE_S
    try:
        whole_s = _estimate_whole_s(source.path, source.row, source.audio, source.content)
    except OSError:
        return UNREADABLE_S
    if whole_s is None:
        return UNREADABLE_S
    left_s = whole_s - source.offset_s
    wanted_s = left_s if source.duration_s is None else min(left_s, source.duration_s)
    return wanted_s if wanted_s > 0 else UNREADABLE_S


_heard_s: dict[tuple[str, str], float | None] = {}


def recall_length(source: Source, length_s: float | None) -> None:
    """Keep in mind how long a whole recording is in a store, which would have to be fetched again for it."""
    _heard_s[source.path, source.content] = length_s


@lru_cache(maxsize=65_536)
def _estimate_whole_s(path: str, row: int | None, audio: str | None, content: str) -> float | None:
    """Return about how long a whole recording is, once for all stretches of it with this ``content``."""
    if (path, content) in _heard_s:
        return _heard_s[path, content]
    with _open_as_it_is(path, row, audio, content) as file:
        return estimate_file_s(file)


def _size(file: BinaryIO) -> int:
    position = file.tell()
    size = file.seek(0, 2)
    file.seek(position)
    return size
