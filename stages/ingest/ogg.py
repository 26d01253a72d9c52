"""Ogg, page by page: every page whole and in its place, and streams that follow one another told apart.

Pages and their checksum are those of RFC 3533.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from schemas import Reason, UnfitError
from stages.ingest.spliced import read_at
from stages.ingest.tags import is_padding

_NAME = b"OggS"
_HEADER_BYTES = 27
"""What comes before the lengths of a page's segments; the last byte says how many there are."""
CHECKSUM = slice(22, 26)
TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Every byte with its bits turned round."""
_FIRST_PAGE = 0x02


@dataclass(frozen=True, slots=True)
class _Page:
    place: int
    content: bytes

    @property
    def is_first(self) -> bool:
        """Whether a stream begins with it."""
        return bool(self.content[5] & _FIRST_PAGE)

    @property
    def serial(self) -> int:
        """Which stream it is of."""
        return int(struct.unpack("<I", self.content[14:18])[0])

    @property
    def number(self) -> int:
        """Its place in its stream."""
        return int(struct.unpack("<I", self.content[18:22])[0])

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.place + len(self.content)


def split_ogg(file: BinaryIO) -> tuple[list[range], bool]:
    """Return where each of the streams lies that follow one another, and whether the last is cut short.

    A last page without the mark of an end is no cut: writers that are stopped leave none.
    Raises ``UnfitError`` for a page that is damaged or missing, for streams side by side, and for what comes
    after the last page and is no tag.
    """
    links: list[range] = []
    begun, number, end = 0, -1, 0
    serial: int | None = None
    for page in _pages(file):
        if page_checksum(page.content) != page.content[CHECKSUM]:
            raise UnfitError(Reason.UNREADABLE, "damaged: a page is not what its checksum says")
        if page.is_first:
            links += [range(begun, page.place)] if page.place else []
            begun, serial = page.place, page.serial
        elif page.serial != serial:
            raise UnfitError(Reason.UNREADABLE, "an Ogg file with several streams side by side")
        elif page.number != number + 1:
            raise UnfitError(Reason.UNREADABLE, f"damaged: a page is missing before page {page.number}")
        number, end = page.number, page.end
    return [*links, range(begun, end)], _is_cut_after(file, end)


def ogg_duration_s(file: BinaryIO, rate: float) -> float:
    """Return how long all streams together are by their pages, which count samples at ``rate``."""
    total = latest = 0
    for page in _pages(file):
        total, latest = (total + latest, 0) if page.is_first else (total, latest)
        (position,) = struct.unpack("<q", page.content[6:14])
        latest = max(latest, int(position))
    return (total + latest) / rate


def _pages(file: BinaryIO) -> Iterator[_Page]:
    """Walk the pages up to what is none, or has no end."""
    place = 0
    while (header := read_at(file, place, _HEADER_BYTES))[:4] == _NAME and len(header) == _HEADER_BYTES:
        lengths = file.read(header[-1])
        body = file.read(sum(lengths))
        if len(lengths) < header[-1] or len(body) < sum(lengths):
            break
        yield _Page(place, header + lengths + body)
        place += _HEADER_BYTES + len(lengths) + len(body)


def _is_cut_after(file: BinaryIO, end: int) -> bool:
    """Whether the page that begins at ``end`` has none. Raises ``UnfitError`` if what is there is no page."""
    rest = read_at(file, end, _HEADER_BYTES)
    if _NAME in read_at(file, end + 1, -1):
        raise UnfitError(Reason.UNREADABLE, "damaged: a page is missing, or something lies between two pages")
    if rest and rest[:4] == _NAME[: len(rest)]:
        return True
    if not is_padding(file, end):
        raise UnfitError(Reason.UNREADABLE, "something that is no page comes after the last page")
    return False


def page_checksum(page: bytes) -> bytes:
    """Return the CRC-32 of a page as it stands in it.

    It is that of zlib, but begins with zeros, takes each byte from its other end, and is itself turned round.
    """
    blank = page[: CHECKSUM.start] + bytes(4) + page[CHECKSUM.stop :]
    turned = zlib.crc32(blank.translate(TURNED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return struct.pack("<I", int(f"{turned:032b}"[::-1], 2))
