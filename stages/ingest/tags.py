"""What lies around audio and is none: ID3 (v1 and v2), APE tags, Lyrics3, and zeros that fill up."""

import struct
from typing import BinaryIO

from stages.ingest.spliced import length_of, read_at

_ID3_BYTES = 10
_ID3_FOOTER = 0x10
_APE_BYTES = 32
_APE_HAS_HEADER = 1 << 31
_ID3V1_BYTES = 128
_LYRICS_END_BYTES = 15
_BLOCK = 1 << 20


def after_tags(file: BinaryIO) -> int:
    """Return where ``file`` begins once the tags and the zeros before it are passed over."""
    place = 0
    while (after := _after_tag(file, place)) > place:
        place = after
    return place


def before_tags(file: BinaryIO, start: int = 0) -> int:
    """Return where ``file`` ends before its tags and the zeros between them, never before ``start``."""
    end = length_of(file)
    while True:
        ends = (end, _before_zeros(file, start, end))  # a tag may end with zeros of its own
        found = [place for place in (_before_tag(file, stop) for stop in ends) if place >= start]
        if not found:
            return end
        end = found[0]


def is_padding(file: BinaryIO, start: int) -> bool:
    """Whether nothing but tags and zeros comes from ``start`` on."""
    place = start
    while (after := _after_tag(file, place)) > place:
        place = after
    return _before_zeros(file, place, before_tags(file, place)) == place


def _after_tag(file: BinaryIO, place: int) -> int:
    head = read_at(file, place, _APE_BYTES)
    if head[:3] == b"ID3" and len(head) >= _ID3_BYTES:
        return place + _ID3_BYTES * (2 if head[5] & _ID3_FOOTER else 1) + _synchsafe(head[6:10])
    if head[:8] == b"APETAGEX" and len(head) == _APE_BYTES:
        return place + _APE_BYTES + int(struct.unpack("<I", head[12:16])[0])
    if head[:1] == b"\0":
        return _after_zeros(file, place)
    return place


def _before_tag(file: BinaryIO, end: int) -> int:
    """Return where the tag starts that ends at ``end``; -1 without one."""
    if end >= _ID3V1_BYTES and read_at(file, end - _ID3V1_BYTES, 3) == b"TAG":
        return end - _ID3V1_BYTES
    tail = read_at(file, max(0, end - _APE_BYTES), min(end, _APE_BYTES))
    if tail[:8] == b"APETAGEX":
        size, flags = struct.unpack("<I4xI", tail[12:24])
        return end - int(size) - (_APE_BYTES if flags & _APE_HAS_HEADER else 0)
    if tail[-9:] == b"LYRICS200" and tail[-_LYRICS_END_BYTES:-9].isdigit():
        return end - _LYRICS_END_BYTES - int(tail[-_LYRICS_END_BYTES:-9])
    if tail[-_ID3_BYTES:-7] == b"3DI":
        return end - 2 * _ID3_BYTES - _synchsafe(tail[-4:])
    return -1


def _synchsafe(four: bytes) -> int:
    """Return a number of which each byte holds seven bits."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=True))


def _after_zeros(file: BinaryIO, place: int) -> int:
    while block := read_at(file, place, _BLOCK):
        rest = block.lstrip(b"\0")
        place += len(block) - len(rest)
        if rest:
            break
    return place


def _before_zeros(file: BinaryIO, start: int, end: int) -> int:
    while end > start:
        size = min(_BLOCK, end - start)
        rest = read_at(file, end - size, size).rstrip(b"\0")
        end -= size - len(rest)
        if rest:
            break
    return end
