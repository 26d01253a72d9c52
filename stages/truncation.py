"""Whether a file ends before its own bookkeeping says so; libsndfile reads what is there, and is silent."""

import io
import struct
from typing import BinaryIO

CHUNKED = {b"RIFF": ("<I", b"data"), b"FORM": (">I", b"SSND")}
"""WAV and AIFF: how the sizes of chunks are written, and the name of the chunk with the samples."""
ENDLESS = 0x7FFF_0000
"""From here on a size stands for "not known yet": writers of streams put 0x7FFFFxxx or 0xFFFFFFFF."""
LONGEST_PAGE = 65_307
"""Bytes of the longest Ogg page (RFC 3533)."""
LAST_PAGE = 0x04


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
