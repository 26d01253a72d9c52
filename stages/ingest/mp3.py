"""How long an MP3 is that does not say so: its frames are counted; libsndfile guesses from the first one.

Frames are those of ISO/IEC 11172-3 and 13818-3; what says how many there are is the frame that LAME calls
"Info" and others "Xing".
"""

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO, Self

MPEG_1, MPEG_2, MPEG_2_5 = 0b11, 0b10, 0b00
_RATES = {
    MPEG_1: (44_100, 48_000, 32_000),
    MPEG_2: (22_050, 24_000, 16_000),
    MPEG_2_5: (11_025, 12_000, 8_000),
}
KBPS_OF_MPEG_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KBPS_OF_MPEG_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Of layer III, by index from 1 on; 0 is a rate of one's own, which hardly anybody uses."""
SYNC = 0x7FF
LAYER_3 = 0b01
MONO = 0b11
_HEADER_BYTES = 4
_HEAD_BYTES = 4096
"""More than the longest frame has."""
NAMES = (b"Xing", b"Info")
HAS_COUNT = 1
ID3_BYTES = 10


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the header of a frame says."""

    version: int
    rate_index: int
    kbps_index: int
    is_padded: bool
    is_mono: bool
    has_checksum: bool

    @classmethod
    def at(cls, content: bytes, place: int) -> Self | None:
        """Return the frame that begins at ``place``; None if none of layer III does."""
        header = int.from_bytes(content[place : place + _HEADER_BYTES])
        version, layer = header >> 19 & 0b11, header >> 17 & 0b11
        rate_index, kbps_index = header >> 10 & 0b11, header >> 12 & 0b1111
        if header >> 21 != SYNC or layer != LAYER_3 or version not in _RATES:
            return None
        if rate_index >= len(_RATES[version]) or not 0 < kbps_index <= len(KBPS_OF_MPEG_1):
            return None
        is_mono = header >> 6 & 0b11 == MONO
        return cls(version, rate_index, kbps_index, bool(header >> 9 & 1), is_mono, not header >> 16 & 1)

    @property
    def num_bytes(self) -> int:
        """Its length, header included."""
        bytes_per_kbps, kbps = (
            (144_000, KBPS_OF_MPEG_1) if self.version == MPEG_1 else (72_000, KBPS_OF_MPEG_2)
        )
        rate = _RATES[self.version][self.rate_index]
        return bytes_per_kbps * kbps[self.kbps_index - 1] // rate + self.is_padded

    @property
    def head_bytes(self) -> int:
        """Header, checksum and side information: what comes before all that is encoded."""
        side_bytes = (32, 17) if self.version == MPEG_1 else (17, 9)
        return _HEADER_BYTES + 2 * self.has_checksum + side_bytes[self.is_mono]

    def is_kin(self, other: "_Frame | None") -> bool:
        """Whether both can be of one stream."""
        return other is not None and (self.version, self.rate_index) == (other.version, other.rate_index)


def with_length(file: BinaryIO) -> BinaryIO:
    """Return ``file``, or if it is an MP3 that does not say how long it is, a copy in memory that does.

    The position of ``file`` is left at its start.
    """
    file.seek(0)
    start = _after_tags(file)
    file.seek(start)
    beginning = file.read(_HEAD_BYTES)
    file.seek(0)
    first = _Frame.at(beginning, 0)
    if first is None or not first.is_kin(_Frame.at(beginning, first.num_bytes)):
        return file
    if _says_how_long(beginning, first):
        return file
    file.seek(start)
    content = file.read()
    file.seek(0)
    return io.BytesIO(_make_counting_frame(content, _num_frames(content, first)) + content)


def _after_tags(file: BinaryIO) -> int:
    """Return where the ID3 tags at the beginning of ``file`` end."""
    place = 0
    while (head := file.read(ID3_BYTES))[:3] == b"ID3" and len(head) == ID3_BYTES:
        size = 0
        for byte in head[6:]:
            size = size << 7 | byte & 0x7F
        place = file.seek(place + ID3_BYTES + size)
    return place


def _says_how_long(content: bytes, first: _Frame) -> bool:
    place = first.head_bytes
    flags = int.from_bytes(content[place + 4 : place + 8])
    return content[place : place + 4] in NAMES and bool(flags & HAS_COUNT)


def _num_frames(content: bytes, first: _Frame) -> int:
    """Count the frames, across what is damaged; one without its end counts, so that it is missed."""
    count = place = 0
    frame: _Frame | None = first
    while place < len(content):
        if frame is not None and first.is_kin(frame):
            count += 1
            place += frame.num_bytes
        else:
            place = _next_frame(content, place, first)
        frame = _Frame.at(content, place)
    return count


def _next_frame(content: bytes, place: int, first: _Frame) -> int:
    """Return where the next frame is that another one follows, or where the content ends."""
    while (place := content.find(b"\xff", place + 1)) >= 0:
        frame = _Frame.at(content, place)
        if frame and first.is_kin(frame) and first.is_kin(_Frame.at(content, place + frame.num_bytes)):
            return place
    return len(content)


def _make_counting_frame(content: bytes, count: int) -> bytes:
    """Return a frame like the first of ``content`` that holds nothing but how many frames come after it."""
    header = bytearray(content[:_HEADER_BYTES])
    header[1] |= 0x01  # no checksum
    header[2] = header[2] & 0x0D | 0x90  # 128 or 80 kbit/s, where there is room; no padding
    frame = _Frame.at(bytes(header), 0)
    assert frame is not None
    said = bytes(header).ljust(frame.head_bytes, b"\0") + NAMES[1] + struct.pack(">II", HAS_COUNT, count)
    return said.ljust(frame.num_bytes, b"\0")
