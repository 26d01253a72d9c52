"""Where the containers end that PyAV opens, box by box: MP4, Matroska, AAC (ADTS), AMR and WavPack."""

import struct
from collections.abc import Callable, Mapping
from typing import BinaryIO

from stages.ingest.spliced import length_of, read_at
from stages.ingest.tags import is_padding

_WIDE = 1
_HEADER, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_NARROW_BAND = (12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0)
_WIDE_BAND = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0)
"""Bytes of a frame of AMR, after its first one, by what that says (RFC 4867)."""

_Step = Callable[[BinaryIO, int], int | None]
"""Returns where the box ends that begins at a place; None if none does."""


def find_trouble(file: BinaryIO, kind: str) -> tuple[bool, str]:
    """Return whether the last box of ``file`` is cut short, and what comes after it that is none."""
    if kind not in _STEPS:
        return False, ""
    step, place, length = _STEPS[kind], _FIRST.get(kind, _none)(file), length_of(file)
    while place < length and (end := step(file, place)) is not None and end > place:
        if end > length:
            return True, ""
        place = end
    if place >= length or is_padding(file, place):
        return False, ""
    return False, f"{length - place:,} bytes at its end are none of its frames, no tag and no padding"


def count_wavpack(file: BinaryIO) -> tuple[int | None, int]:
    """Return how many samples the first block claims, None if it does not, and how many there are."""
    claimed, held, place = None, 0, 0
    while (end := _wavpack_block(file, place)) is not None:
        head = read_at(file, place, 24)
        if len(head) < 24:  # noqa: PLR2004 - total, index and number of samples are its last twelve bytes
            break
        total, index, samples = struct.unpack("<III", head[12:])
        claimed = total if place == 0 and total != 0xFFFF_FFFF else claimed  # noqa: PLR2004 - "not known"
        held, place = max(held, index + samples), end
    return claimed, held


def _none(_: BinaryIO) -> int:
    return 0


def _movie_box(file: BinaryIO, place: int) -> int | None:
    head = read_at(file, place, 16)
    if len(head) < 8 or not head[4:8].isalnum() or (place and head[4:8] == b"ftyp"):  # noqa: PLR2004
        return place + 8 if 0 < len(head) < 8 and any(head) else None  # noqa: PLR2004 - a head that is cut
    size = int(struct.unpack(">I", head[:4])[0])
    if size == _WIDE and len(head) == 16:  # noqa: PLR2004
        size = int(struct.unpack(">Q", head[8:])[0])
    return place + size if size else length_of(file)


def _matroska_element(file: BinaryIO, place: int) -> int | None:
    """Return where an element ends; one that does not know its size is entered."""
    number, after = _variable(file, place, keep_mark=True)
    if place and number == _HEADER:  # another file
        return None
    size, content = _variable(file, after)
    if number is None or size is None:
        return None
    if number in {_SEGMENT, _CLUSTER} and size == (1 << 7 * (content - after)) - 1:
        return content
    return content + size


def _variable(file: BinaryIO, place: int, *, keep_mark: bool = False) -> tuple[int | None, int]:
    """Return the number at ``place``, whose first byte says how long it is, and its end."""
    head = read_at(file, place, 8)
    if not head or not head[0]:
        return None, place
    size = 9 - head[0].bit_length()
    if len(head) < size:
        return None, place
    number = int.from_bytes(head[:size])
    return (number if keep_mark else number & (1 << 7 * size) - 1), place + size


def _adts_frame(file: BinaryIO, place: int) -> int | None:
    head = read_at(file, place, 7)
    if head[:1] != b"\xff" or (len(head) > 1 and head[1] & 0xF6 != 0xF0):  # noqa: PLR2004
        return None
    if len(head) < 7:  # noqa: PLR2004
        return place + 7
    return place + ((head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5)


def _amr_frame(file: BinaryIO, place: int) -> int | None:
    is_wide = read_at(file, 0, 9) == b"#!AMR-WB\n"
    head = read_at(file, place, 1)[0]
    if head & 0x83:
        return None
    return place + 1 + (_WIDE_BAND if is_wide else _NARROW_BAND)[head >> 3 & 15]


def _wavpack_block(file: BinaryIO, place: int) -> int | None:
    head = read_at(file, place, 8)
    if head[:4] != b"wvpk"[: len(head)]:
        return None
    return place + 8 + (int(struct.unpack("<I", head[4:])[0]) if len(head) == 8 else 0)  # noqa: PLR2004


_STEPS: Mapping[str, _Step] = {
    "mov": _movie_box,
    "matroska": _matroska_element,
    "aac": _adts_frame,
    "amr": _amr_frame,
    "wv": _wavpack_block,
}
_FIRST: Mapping[str, Callable[[BinaryIO], int]] = {
    "amr": lambda file: 9 if read_at(file, 0, 9) == b"#!AMR-WB\n" else 6
}
