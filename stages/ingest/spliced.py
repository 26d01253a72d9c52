"""Stretches of a file and bytes of our own, one after another, read as one file."""

import io
from bisect import bisect_right
from itertools import accumulate
from typing import BinaryIO, cast

_Part = bytes | range
"""Bytes, or a stretch of the file from ``start`` to ``stop``."""


def splice(file: BinaryIO, *parts: _Part) -> BinaryIO:
    """Return ``parts`` of ``file`` as a file of their own, to read from."""
    return cast("BinaryIO", Spliced(file, *parts))


class Spliced(io.RawIOBase):
    """``parts`` of ``file`` as a file of their own.

    A seek before the start or beyond the end stays at that end: a header that sends its reader there is
    answered like one that asks for nothing, and no error comes up inside a library written in C.
    """

    def __init__(self, file: BinaryIO, *parts: _Part) -> None:
        self._file = file
        self._parts = [part for part in parts if len(part)]
        self._starts = [0, *accumulate(len(part) for part in self._parts)]
        self._place = 0

    def __len__(self) -> int:
        return self._starts[-1]

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that any place can be read next."""
        return True

    def tell(self) -> int:
        """Return the place of the byte that is read next."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self)}[whence]
        self._place = min(max(base + offset, 0), len(self))
        return self._place

    def readinto(self, buffer: memoryview | bytearray, /) -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as there are bytes, and return how many there were."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._place < len(self):
            found = self._read_some(len(view) - filled)
            if not found:
                break
            view[filled : filled + len(found)] = found
            filled += len(found)
            self._place += len(found)
        return filled

    def _read_some(self, most: int) -> bytes:
        number = bisect_right(self._starts, self._place) - 1
        part, skipped = self._parts[number], self._place - self._starts[number]
        if isinstance(part, bytes):
            return part[skipped : skipped + most]
        self._file.seek(part.start + skipped)
        return self._file.read(min(most, len(part) - skipped))


def read_at(file: BinaryIO, place: int, size: int) -> bytes:
    """Return up to ``size`` bytes of ``file`` from ``place`` on."""
    file.seek(place)
    return file.read(size)


def length_of(file: BinaryIO) -> int:
    """Return how many bytes ``file`` has."""
    return file.seek(0, io.SEEK_END)
