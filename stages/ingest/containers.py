"""Whether a file holds what its container promises; decoders read what is there, and say nothing of the rest.

Ogg pages and their checksum are those of RFC 3533.
"""

import io
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
CHUNKED = {b"RIFF": ("<I", b"data"), b"FORM": (">I", b"SSND")}
"""WAV and AIFF: how the sizes of chunks are written, and the name of the chunk with the samples."""
ENDLESS = 0x7FFF_0000
"""From here on a size stands for "not known yet": writers of streams put 0x7FFFFxxx or 0xFFFFFFFF."""
LONGEST_PAGE = 65_307
"""Bytes of the longest Ogg page (RFC 3533)."""
LAST_PAGE = 0x04


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


def is_cut_short(file: BinaryIO) -> bool:
    """Return whether a WAV or AIFF file lacks samples that it claims, or an Ogg file its last page.

    False for other formats, whose decoders notice. The position is left at the start of ``file``.
    """
    file.seek(0)
    magic = file.read(4)
    cut = _lacks_last_page(file) if magic == b"OggS" else _claimed_end(file, magic) > _length(file)
    file.seek(0)
    return cut


def _claimed_end(file: BinaryIO, magic: bytes) -> int:
    """Walk the chunks to the samples and return where they should end; 0 if that cannot be said."""
    order, wanted = CHUNKED.get(magic, ("", b""))
    file.seek(12)
    while wanted and len(header := file.read(8)) == 8:  # noqa: PLR2004 - a name and a size of four bytes each
        (size,) = struct.unpack(order, header[4:])
        if header[:4] == wanted:
            return file.tell() + int(size) if size < ENDLESS else 0
        file.seek(size + size % 2, io.SEEK_CUR)
    return 0


def _lacks_last_page(file: BinaryIO) -> bool:
    file.seek(max(0, _length(file) - LONGEST_PAGE))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    header = 27 + page[26] if len(page) > 26 else len(page) + 1  # noqa: PLR2004 - where the number of segments is
    return len(page) < header + sum(page[27:header]) or not page[5] & LAST_PAGE


def _length(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)
