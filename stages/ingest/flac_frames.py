"""FLAC seen from its end: with which sample the last frame ends, and whether one ends there (RFC 9639)."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from stages.ingest.spliced import read_at
from stages.ingest.tags import before_tags

_NAME = b"fLaC"
_BEGINNINGS = (_NAME + b"\0\0\0\x22", _NAME + b"\x80\0\0\x22")
"""A stream's name and the head of its first block, which always has 34 bytes."""
STREAMINFO = slice(8, 26)
_TOTAL_BITS = 36
_SYNC = 0x3FFE
_BLOCK = 1 << 20
_CODED_SIZES = {6: 1, 7: 2}
"""Codes of a block's size that put it into bytes of its own, and how many."""
_RATE_BYTES = {12: 1, 13: 2, 14: 2}
_FRAME_HEAD_BYTES = 16
_ZEROS_OF_A_FRAME = 64
_CRC_16 = 0x8005


def _remainders(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        table.append(value)
    return tuple(table)


_OF_HEADER, _OF_FRAME = _remainders(0x07, 8), _remainders(_CRC_16, 16)


@dataclass(frozen=True, slots=True)
class _StreamInfo:
    block: int
    longest_frame: int
    total: int

    @classmethod
    def at(cls, file: BinaryIO, start: int) -> "_StreamInfo":
        _, block, _, longest, packed = struct.unpack(
            ">HH3s3sQ", read_at(file, start + STREAMINFO.start, 18).ljust(18, b"\0")
        )
        channels, bits = (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
        most = block * channels * (bits + 7) // 8 + 256
        known = int.from_bytes(longest)
        return cls(block, known or most, packed & ((1 << _TOTAL_BITS) - 1))


def split_flac(file: BinaryIO) -> list[range]:
    """Return where each of the streams lies that follow one another; the last one ends before the tags."""
    begun = [0]
    while (place := _find(file, _BEGINNINGS, begun[-1] + 1)) >= 0:
        begun.append(place)
    return [range(a, b) for a, b in zip(begun, [*begun[1:], before_tags(file, begun[-1])], strict=True)]


def claimed_samples(file: BinaryIO, start: int) -> int:
    """Return how many samples the header at ``start`` says that there are; 0 if it does not know."""
    return _StreamInfo.at(file, start).total


def held_samples(file: BinaryIO, span: range) -> int | None:
    """Return how many samples a stream has by its last frame; None if no frame ends where the stream does."""
    info = _StreamInfo.at(file, span.start)
    tail = _tail(file, span, 2 * info.longest_frame)
    place = len(tail)
    while (place := tail.rfind(b"\xff", 0, place)) >= 0:
        last = _last_sample(tail[place : place + _FRAME_HEAD_BYTES], info.block)
        if last is not None and _remainder(tail[place:], _OF_FRAME, 16) == 0:
            return last
    return None


def header_with_total(file: BinaryIO, span: range, total: int) -> bytes:
    """Return the beginning of a stream, up to and with the number of samples, which is made ``total``."""
    head = bytearray(read_at(file, span.start, STREAMINFO.stop))
    (packed,) = struct.unpack(">Q", head[18:26])
    head[18:26] = struct.pack(">Q", packed >> _TOTAL_BITS << _TOTAL_BITS | total)
    return bytes(head)


def _find(file: BinaryIO, wanted: tuple[bytes, ...], place: int) -> int:
    while len(block := read_at(file, place, _BLOCK)) >= len(wanted[0]):
        found = [at for at in map(block.find, wanted) if at >= 0]
        if found:
            return place + min(found)
        place += len(block) - len(wanted[0]) + 1
    return -1


def _tail(file: BinaryIO, span: range, size: int) -> bytes:
    """Return the end of a stream, with few of the zeros after it: they leave a remainder of zero as it is."""
    end = span.stop
    while end > span.start:
        block = read_at(file, max(span.start, end - _BLOCK), min(_BLOCK, end - span.start))
        end -= len(block) - len(block.rstrip(b"\0"))
        if block.rstrip(b"\0"):
            break
    stop = min(span.stop, end + _ZEROS_OF_A_FRAME)
    start = max(span.start, stop - size - _ZEROS_OF_A_FRAME)
    return read_at(file, start, stop - start)


def _last_sample(head: bytes, block: int) -> int | None:
    """Return the sample after the last one of a frame that begins with ``head``; None if none does."""
    if len(head) < _FRAME_HEAD_BYTES // 2 or int.from_bytes(head[:2]) >> 2 != _SYNC or head[1] & 2:
        return None
    number, place = _coded_number(head, 4)
    size_code, rate_code = head[2] >> 4, head[2] & 15
    size_bytes = _CODED_SIZES.get(size_code, 0)
    size = _block_size(size_code, head[place : place + size_bytes])
    place += size_bytes + _RATE_BYTES.get(rate_code, 0)
    if number is None or not size or place >= len(head) or _remainder(head[: place + 1], _OF_HEADER, 8):
        return None
    has_sample_number = bool(head[1] & 1)
    return (number if has_sample_number else number * block) + size


def _coded_number(head: bytes, place: int) -> tuple[int | None, int]:
    """Return the number at ``place``, written like a character of UTF-8 but up to 36 bits, and its end."""
    ones = 8 - (head[place] ^ 0xFF).bit_length()
    if ones == 0:
        return head[place], place + 1
    if ones == 1 or ones > 7 or place + ones > len(head):  # noqa: PLR2004 - seven bytes are the most
        return None, place
    number = head[place] & (0x7F >> ones)
    for byte in head[place + 1 : place + ones]:
        number = number << 6 | byte & 0x3F
    return number, place + ones


def _block_size(code: int, own: bytes) -> int:
    """Return how many samples a frame has, by a code or bytes of its own (RFC 9639, 9.1.1)."""
    if code in _CODED_SIZES or code < 2:  # noqa: PLR2004 - 0 is reserved
        return int.from_bytes(own) + 1 if own else 192 * code
    return 576 << (code - 2) if code < 6 else 256 << (code - 8)  # noqa: PLR2004


def _remainder(content: bytes, table: tuple[int, ...], bits: int) -> int:
    value, mask, shift = 0, (1 << bits) - 1, bits - 8
    for byte in content:
        value = (value << 8 & mask) ^ table[(value >> shift) ^ byte]
    return value
