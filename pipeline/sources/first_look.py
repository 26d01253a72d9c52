"""A first look at recordings: whether they are where the paths point, and hold audio.

Names promise nothing: before a run begins, a second of each corpus is decoded.
"""

import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pipeline.sources.audio import open_source, place_of
from pipeline.sources.object_audio import look_at_object
from pipeline.store.object_urls import is_store_url
from pipeline.text import count
from schemas import ConfigError, RecordError, Source
from stages.ingest.decoding import Decoded, decode_recording

TRIES = 10
"""Recordings of a corpus that are opened before it is doubted."""
LOOK_S = 1.0
_PARENTS = 6


class FirstLook(NamedTuple):
    """What the first recordings of a corpus came to."""

    heard: Decoded | None
    """A second of the first one that could be decoded."""
    refused: tuple[tuple[Source, str], ...]
    """Those before it, and why."""
    of: int
    """How many recordings there are."""

    @property
    def is_hopeless(self) -> bool:
        """Whether every recording was tried, and none could be decoded."""
        return self.heard is None and len(self.refused) == self.of

    @property
    def why(self) -> str:
        """Say what came of the first recording that could not be decoded."""
        source, why = self.refused[0]
        return f"{place_of(source)}: {why}"


def look_at(sources: Sequence[Source]) -> FirstLook:
    """Decode a second of ``sources``, one after the other, until one can be, or ``TRIES`` cannot."""
    refused: list[tuple[Source, str]] = []
    for source in sources[:TRIES]:
        try:
            with open_source(source) as file:
                length_s = LOOK_S if source.duration_s is None else min(LOOK_S, source.duration_s)
                return FirstLook(
                    decode_recording(file, source.offset_s, length_s), tuple(refused), len(sources)
                )
        except RecordError as error:
            refused.append((source, error.detail or str(error)))
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            refused.append((source, getattr(error, "strerror", None) or str(error)))
    return FirstLook(None, tuple(refused), len(sources))


def require_found(sources: Iterable[Source]) -> None:
    """Raise ``ConfigError`` for a corpus of which no recording can be read where its path points."""
    for corpus, members in groupby(sources, key=lambda source: source.corpus):
        found = list(members)
        if not any(source.content for source in found):
            raise ConfigError(f"corpus {corpus!r}: {describe_missing(found, len(found))}")


def require_audio(sources: Iterable[Source]) -> None:
    """Raise ``ConfigError`` for a corpus of a few recordings none of which can be decoded."""
    for corpus, members in groupby(sources, key=lambda source: source.corpus):
        look = look_at(list(members))
        if look.is_hopeless:
            raise ConfigError(
                f"corpus {corpus!r}: none of its {count(look.of, 'recording')} can be decoded; {look.why}"
            )


def describe_missing(missing: Sequence[Source], of: int) -> str:
    """Say that ``missing`` of so many recordings cannot be read, and where the first one was looked for."""
    how_many = "none" if len(missing) == of else f"{len(missing):,}"
    kept = f"{how_many} of {count(of, 'recording')} can be read" if len(missing) == of else ""
    said = kept or f"{how_many} of {count(of, 'recording')} cannot be read"
    return (
        f"{said} where the paths point; the first is looked for at {place_of(missing[0])}{_hint(missing[0])}"
    )


def is_there(source: Source) -> bool:
    """Whether the file of a source that was not read can be; rows of datasets are taken to be there."""
    if source.row is not None:
        return True
    if is_store_url(source.path):
        return look_at_object(source.path) is not None
    try:
        return Path(source.path).is_file() and os.access(source.path, os.R_OK)
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False


def _hint(source: Source) -> str:
    """Return the way out where the path would be right if it started from a folder further up."""
    if source.row is not None or is_store_url(source.path) or not source.path.endswith(f"/{source.name}"):
        return ""
    base = Path(source.path.removesuffix(source.name))
    for folder in base.parents[:_PARENTS]:
        if is_there(source.model_copy(update={"path": str(folder / source.name)})):
            way = Path(os.path.relpath(folder / source.name, base)).as_posix()
            return f", and is in {folder}: paths in a manifest start from the manifest's folder; write {way}"
    return ""
