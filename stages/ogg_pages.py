"""Whether the pages of an Ogg file are whole; decoders pass over those that are not, and say nothing of it.

Pages and their checksum are those of RFC 3533.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

NAME = b"OggS"
_HEADER_BYTES = 27
"""What comes before the lengths of a page's segments; the last byte says how many there are."""
CHECKSUM = slice(22, 26)
TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Every byte with its bits turned round."""


def has_damaged_page(file: BinaryIO) -> bool:
    """Whether a page of ``file`` is not what its checksum says, or something lies between two pages.

    False for what is no Ogg, and for what lies after the last page. The position is left at the start.
    """
    file.seek(0)
    damaged = any(_checksum(page) != page[CHECKSUM] for page in _pages(file)) or _goes_on(file)
    file.seek(0)
    return damaged


def _pages(file: BinaryIO) -> Iterator[bytes]:
    """Walk the pages up to what is none, or has no end, and leave the position there."""
    place = 0
    while (header := file.read(_HEADER_BYTES))[:4] == NAME and len(header) == _HEADER_BYTES:
        lengths = file.read(header[-1])
        size = sum(lengths)
        body = file.read(size)
        if len(lengths) < header[-1] or len(body) < size:
            break
        yield header + lengths + body
        place += _HEADER_BYTES + len(lengths) + size
    file.seek(place)


def _goes_on(file: BinaryIO) -> bool:
    """Whether a page comes after what is none."""
    return file.tell() > 0 and file.read(len(NAME)) != NAME and NAME in file.read()


def _checksum(page: bytes) -> bytes:
    """Return the CRC-32 of a page as it stands in it.

    It is that of zlib, but begins with zeros, takes each byte from its other end, and is itself turned round.
    """
    blank = page[: CHECKSUM.start] + bytes(4) + page[CHECKSUM.stop :]
    turned = zlib.crc32(blank.translate(TURNED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return struct.pack("<I", int(f"{turned:032b}"[::-1], 2))
