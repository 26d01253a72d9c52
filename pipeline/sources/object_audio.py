"""Recordings in an object store: listed by name, known by the tag of their version, fetched whole."""

import hashlib
import io
import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from pipeline.sources.folders import WILDCARDS, is_audio_name, is_passed_over, matches_pattern
from pipeline.sources.saved_datasets import MARKS
from pipeline.sources.stamps import Stamp
from pipeline.store.files import StoredFile
from pipeline.store.object_files import ObjectFiles
from pipeline.store.object_urls import SCHEMES, is_store_url
from schemas import ConfigError
from stages.ingest.durations import estimate_file_s

_QUERY = re.compile(r"\?[\w-]+=")
_KEPT_LONG = 2
"""Long recordings whose bytes a process keeps on its disk: stretches of one follow one another."""


class ObjectLook(NamedTuple):
    """What a listing says of an object: how many bytes, and the tag of this version of it."""

    size: int
    tag: str


def split_recording_url(text: str) -> tuple[str, str]:
    """Return the URL of the bucket and the name in it.

    Raises ``ConfigError``, without the text, for another scheme, without a bucket, and for what holds a
    secret.
    """
    scheme, _, rest = text.partition("://")
    bucket, _, name = rest.partition("/")
    if scheme not in SCHEMES:
        known = ", ".join(f"{known}:// ({of})" for known, of in SCHEMES.items())
        raise ConfigError(f"{scheme}:// is no object store that is known here; give one of {known}")
    if "@" in bucket or ":" in bucket or _QUERY.search(text):
        raise ConfigError(
            f"a {scheme}:// URL of recordings is a bucket and a name; credentials go into the environment, "
            "where no log and no table sees them"
        )
    if not bucket or WILDCARDS & set(bucket):
        raise ConfigError(f"{text!r} names no bucket")
    return f"{scheme}://{bucket}", name.strip("/")


def object_at(url: str) -> StoredFile:
    """Return the object that a URL names, there or not. Raises ``ConfigError`` as above."""
    return StoredFile(*_place_of(url))


def join_place(base: str, written: str) -> str:
    """Return the path or URL that a manifest in ``base`` means; a URL stands for itself."""
    if is_store_url(written):
        bucket, name = split_recording_url(written)
        return f"{bucket}/{posixpath.normpath(name)}"
    if is_store_url(base) and not written.startswith("/"):
        bucket, folder = split_recording_url(base)
        name = posixpath.normpath(posixpath.join(folder, written))
        if name.startswith(".."):
            raise ConfigError(f"{written!r} leads out of {bucket}, in which the manifest lies")
        return f"{bucket}/{name}"
    return os.path.normpath(Path(base) / written)


def name_below(base: str, place: str, written: str) -> str:
    """Return the path relative to ``base``; one to somewhere else only loses its root, a URL its scheme."""
    if is_store_url(place):
        if place.startswith(f"{base}/"):
            return place.removeprefix(f"{base}/")
        if is_store_url(written):
            return place.partition("://")[2]
        return posixpath.relpath(split_recording_url(place)[1], split_recording_url(base)[1] or ".")
    if Path(written).is_absolute() and not Path(place).is_relative_to(base):
        return Path(place).relative_to(Path(place).anchor).as_posix()
    return PurePosixPath(os.path.relpath(place, base)).as_posix()


def list_recordings_at(url: str) -> tuple[str, dict[str, ObjectLook]]:
    """Return the folder of a URL, the part before a pattern, and the audio objects that are meant there.

    They are named by their URLs, in the order of their names below the folder; hidden ones are left alone,
    as in a folder. Raises ``ConfigError`` for a dataset that was saved there, which is read on a disk alone.
    """
    bucket, name = split_recording_url(url)
    parts = PurePosixPath(name).parts
    plain = next((at for at, part in enumerate(parts) if WILDCARDS & set(part)), len(parts))
    base = "/".join((bucket, *parts[:plain]))
    found = dict(sorted(_walk(base)))
    if plain == len(parts) and any(mark in found for mark in MARKS):
        raise ConfigError(
            f"{url} is a dataset saved on disk, which is read from a folder alone: copy it, or list its "
            "recordings in a manifest"
        )
    pattern = parts[plain:]
    return base, {
        f"{base}/{inner}": look
        for inner, look in found.items()
        if is_audio_name(PurePosixPath(inner).name)
        and (not pattern or matches_pattern(PurePosixPath(inner).parts, pattern))
    }


def count_passed_over_at(url: str) -> Counter[str]:
    """Return how many objects below a URL may hold speech, packed or not, and are not taken: by suffix."""
    if WILDCARDS & set(url):
        return Counter()
    names = (PurePosixPath(name) for name, _ in _walk(url.rstrip("/")))
    return Counter(name.suffix.lower() for name in names if is_passed_over(name.name))


def _walk(base: str) -> Iterator[tuple[str, ObjectLook]]:
    """Walk the names below a URL, hidden ones left out, with how each looks."""
    files, folder = _place_of(base)
    above = len(folder) + 1 if folder else 0
    for name, size, tag in files.versions(folder):
        inner = name[above:]
        if not any(part.startswith(".") for part in inner.split("/")):
            yield inner, ObjectLook(size, tag)


def look_at_object(url: str) -> ObjectLook | None:
    """Return how an object looks now; None if it is not there."""
    files, name = _place_of(url)
    found = files.version(name)
    return None if found is None else ObjectLook(*found)


def object_stamp(url: str, look: ObjectLook | None, known: Stamp | None) -> Stamp | None:
    """Return ``known`` if the object is of that version still, else a new stamp; None if it is not there.

    ``look`` is what a listing has said of it; without one it is asked for.
    """
    look = look or look_at_object(url)
    if look is None:
        return None
    if known is not None and known[:2] == look:
        return known
    files, name = _place_of(url)
    try:
        file, size, tag = files.fetch(name)
    except FileNotFoundError:  # gone since it was listed
        return None
    with file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # any binary file
        return Stamp(size, tag, digest, estimate_file_s(file))


def open_object(url: str, content: str) -> BinaryIO:
    """Return the bytes of an object in an open file; those of a long one wait on this machine's disk.

    ``content`` is the digest that is looked for: while it stays the same, a long one is fetched once for all
    of its stretches. Raises ``FileNotFoundError``, and ``RunError`` for a store that refuses it.
    """
    kept = _long.get((url, content))
    if kept is None:
        files, name = _place_of(url)
        fetched = files.fetch(name)[0]
        if isinstance(fetched, io.BytesIO):
            return fetched
        while len(_long) >= _KEPT_LONG:
            _long.pop(next(iter(_long))).close()
        kept = _long[url, content] = fetched
    return Path(f"/proc/self/fd/{kept.fileno()}").open("rb")  # its name has gone, so that nothing is left


_long: dict[tuple[str, str], BinaryIO] = {}


def _place_of(url: str) -> tuple[ObjectFiles, str]:
    bucket, name = split_recording_url(url)
    return _files_in(bucket, os.getpid()), name


@lru_cache(maxsize=16)
def _files_in(bucket: str, _process: int) -> ObjectFiles:
    """Return the objects of a bucket; each process has a client of its own, forked ones too."""
    return ObjectFiles(bucket)
