"""Digests of files, read again only if size or time of change differ from an earlier listing."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

THREADS = 4
STORE_THREADS = 16
"""For objects of a store, each of which is waited for."""
OnProgress = Callable[[int, int], None]
"""Told how many files are done, of how many."""


class Stamp(NamedTuple):
    """What a file looked like when it was read, and the SHA-256 of its bytes."""

    size: int
    changed: int | str
    """When it was last changed, in nanoseconds; of an object in a store the tag of this version of it."""
    sha256: str
    length_s: float | None = None
    """About how long an object in a store is: it is not fetched again for that."""


StampReader = Callable[[Stamp | None], Stamp | None]
"""Returns the stamp that it is given if that still holds, else a new one; None if nothing can be read."""


def stamps_of(
    readers: Mapping[str, StampReader],
    known: Mapping[str, Stamp],
    progress: OnProgress,
    threads: int = THREADS,
) -> dict[str, Stamp]:
    """Return a stamp for each name in ``readers`` whose reader gives one.

    Readers run in a few threads and are handed the stamp in ``known``; ``progress`` is called in this thread.
    """
    found: dict[str, Stamp] = {}
    with ThreadPoolExecutor(threads) as pool:
        stamps = pool.map(lambda name: readers[name](known.get(name)), readers)
        for done, (name, stamp) in enumerate(zip(readers, stamps, strict=True), start=1):
            if stamp is not None:
                found[name] = stamp
            progress(done, len(readers))
    return found


def written_stamps(stamps: Mapping[str, Stamp]) -> bytes:
    """Return what is kept of stamps, by their names; lengths where they are known."""
    kept = {name: stamp[:3] if stamp.length_s is None else stamp for name, stamp in stamps.items()}
    return json.dumps(kept, sort_keys=True).encode()


def stamp_of(path: str, known: Stamp | None) -> Stamp | None:
    """Return ``known`` if the file did not change since, else a new stamp; None if it cannot be read."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):  # opening a named pipe would wait for a writer
            return None
        if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
            return known if os.access(path, os.R_OK) else None
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    return Stamp(status.st_size, status.st_mtime_ns, digest)
