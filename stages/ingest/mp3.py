"""MPEG audio frame by frame: how long a file is that does not say so, or says it wrongly, and what is in it.

Frames are those of ISO/IEC 11172-3 and 13818-3, of layers I to III; what says how many there are is the frame
that LAME calls "Info" and others "Xing". libsndfile believes it; without one, it guesses.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Self

from schemas import Reason, UnfitError
from stages.ingest.spliced import read_at, splice
from stages.ingest.tags import is_padding

MPEG_1, MPEG_2, MPEG_2_5 = 0b11, 0b10, 0b00
_RATES = {
    MPEG_1: (44_100, 48_000, 32_000),
    MPEG_2: (22_050, 24_000, 16_000),
    MPEG_2_5: (11_025, 12_000, 8_000),
}
LAYER_1, LAYER_2, LAYER_3 = 0b11, 0b10, 0b01
KBPS_OF_MPEG_1 = {
    LAYER_1: tuple(range(32, 449, 32)),
    LAYER_2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    LAYER_3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBPS_OF_MPEG_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
KBPS_OF_MPEG_2 = {
    LAYER_1: (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    LAYER_2: _KBPS_OF_MPEG_2,
    LAYER_3: _KBPS_OF_MPEG_2,
}
"""By index from 1 on; 0 is a rate of one's own, which hardly anybody uses."""
SYNC = 0x7FF
MONO = 0b11
_HEADER_BYTES = 4
_HEAD_BYTES = 4096
"""More than the longest frame has."""
NAMES = (b"Xing", b"Info")
HAS_COUNT = 1


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the header of a frame says."""

    version: int
    layer: int
    rate_index: int
    kbps_index: int
    is_padded: bool
    is_mono: bool
    has_checksum: bool

    @classmethod
    def at(cls, content: bytes, place: int) -> Self | None:
        """Return the frame that begins at ``place``; None if none does."""
        header = int.from_bytes(content[place : place + _HEADER_BYTES])
        version, layer = header >> 19 & 0b11, header >> 17 & 0b11
        rate_index, kbps_index = header >> 10 & 0b11, header >> 12 & 0b1111
        if header >> 21 != SYNC or layer not in KBPS_OF_MPEG_1 or version not in _RATES:
            return None
        if rate_index >= len(_RATES[version]) or not 0 < kbps_index <= len(_KBPS_OF_MPEG_2):
            return None
        is_mono = header >> 6 & 0b11 == MONO
        is_padded, has_checksum = bool(header >> 9 & 1), not header >> 16 & 1
        return cls(version, layer, rate_index, kbps_index, is_padded, is_mono, has_checksum)

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return _RATES[self.version][self.rate_index]

    @property
    def num_samples(self) -> int:
        """How many it holds."""
        if self.layer == LAYER_1:
            return 384
        return 576 if self.layer == LAYER_3 and self.version != MPEG_1 else 1152

    @property
    def num_bytes(self) -> int:
        """Its length, header included."""
        rates = KBPS_OF_MPEG_1 if self.version == MPEG_1 else KBPS_OF_MPEG_2
        bits_per_s = 1000 * rates[self.layer][self.kbps_index - 1]
        slot_bytes = 4 if self.layer == LAYER_1 else 1
        slots = self.num_samples * bits_per_s // (8 * slot_bytes * self.sample_rate)
        return slot_bytes * (slots + self.is_padded)

    @property
    def head_bytes(self) -> int:
        """Header, checksum and side information of layer III: what comes before all that is encoded."""
        side_bytes = (32, 17) if self.version == MPEG_1 else (17, 9)
        return _HEADER_BYTES + 2 * self.has_checksum + side_bytes[self.is_mono]

    @property
    def count_place(self) -> int:
        """Where it says, if it does, how many frames come after it: behind its name and its flags."""
        return self.head_bytes + 8

    def is_kin(self, other: "_Frame | None") -> bool:
        """Whether both can be of one stream."""
        return other is not None and other.family == self.family

    @property
    def family(self) -> tuple[int, int, int]:
        """What all frames of a stream have in common."""
        return self.version, self.layer, self.rate_index


@dataclass(frozen=True, slots=True)
class MpegStream:
    """One encoder's frames: where they lie, how many there are, and how many are announced."""

    first: _Frame
    span: range
    num_frames: int
    claimed_frames: int | None
    """None if nothing says it."""
    lacks_end: bool
    """Whether the last frame lacks its end."""

    @property
    def is_cut(self) -> bool:
        """Whether frames are missing, or a part of the last."""
        return self.lacks_end or (self.claimed_frames or 0) > self.num_frames

    @property
    def is_layer_3(self) -> bool:
        """Whether it is MP3, and no MP1 or MP2."""
        return self.first.layer == LAYER_3

    @property
    def duration_s(self) -> float:
        """Of all frames."""
        return self.num_frames * self.first.num_samples / self.first.sample_rate

    def open(self, file: BinaryIO) -> BinaryIO:
        """Return the stream as a file that says how long it is, and truly, unless it is of layer I or II."""
        if not self.is_layer_3 or self.claimed_frames == self.num_frames:
            return splice(file, self.span)
        if self.claimed_frames is None:
            header = read_at(file, self.span.start, _HEADER_BYTES)
            return splice(file, _make_counting_frame(header, self.num_frames), self.span)
        place = self.span.start + self.first.count_place
        count = struct.pack(">I", self.num_frames)
        rest = range(place + len(count), self.span.stop)
        return splice(file, range(self.span.start, place), count, rest)


def is_mpeg(file: BinaryIO) -> bool:
    """Whether ``file`` begins with two frames of MPEG audio."""
    beginning = read_at(file, 0, _HEAD_BYTES)
    first = _Frame.at(beginning, 0)
    return first is not None and first.is_kin(_Frame.at(beginning, first.num_bytes))


def split_mpeg(file: BinaryIO) -> list[MpegStream]:
    """Return the streams that follow one another: a frame that announces others begins each but the first.

    Tags between them and after them are passed over, and so is less than a frame of anything at the end.
    Raises ``UnfitError`` for more of it, and for frames of another rate or layer.
    """
    content = read_at(file, 0, -1)
    first = _Frame.at(content, 0)
    assert first is not None
    places = list(_places(content, first))
    _require_no_gaps(content, places)
    starts = [
        number for number, (place, frame) in enumerate(places) if not number or _says(content, place, frame)
    ]
    stops = [*starts[1:], len(places)]
    return [_stream(content, places[a:b]) for a, b in zip(starts, stops, strict=True)]


def _stream(content: bytes, places: list[tuple[int, _Frame]]) -> MpegStream:
    (place, first), (last_place, last) = places[0], places[-1]
    end = last_place + last.num_bytes
    announces = _says(content, place, first)
    return MpegStream(
        first=first,
        span=range(place, min(end, len(content))),
        num_frames=len(places) - announces,
        claimed_frames=_claimed(content, place, first) if announces else None,
        lacks_end=end > len(content),
    )


def _says(content: bytes, place: int, frame: _Frame) -> bool:
    """Whether a frame says how many come after it."""
    place += frame.head_bytes
    flags = int.from_bytes(content[place + 4 : place + 8])
    is_named = frame.layer == LAYER_3 and content[place : place + 4] in NAMES
    return is_named and bool(flags & HAS_COUNT)


def _claimed(content: bytes, place: int, frame: _Frame) -> int:
    start = place + frame.count_place
    return int.from_bytes(content[start : start + 4])


def _places(content: bytes, first: _Frame) -> Iterator[tuple[int, _Frame]]:
    """Walk the frames, across what is damaged; one without its end is there too, so that it is missed."""
    place = 0
    while place < len(content):
        frame = _Frame.at(content, place)
        if frame is not None and first.is_kin(frame):
            yield place, frame
            place += frame.num_bytes
        else:
            place = _next_frame(content, place - 1, first)


def _require_no_gaps(content: bytes, places: list[tuple[int, _Frame]]) -> None:
    ends = [place + frame.num_bytes for place, frame in places]
    for end, (place, _) in zip(ends, places[1:], strict=False):
        gap = content[end:place]
        if gap and (not any(gap) or not _is_padding(gap)):
            raise UnfitError(Reason.UNREADABLE, f"damaged: {len(gap):,} bytes between its frames are none")
    rest = content[ends[-1] :]
    if len(rest) > _HEAD_BYTES and not _is_padding(rest):
        raise UnfitError(
            Reason.UNREADABLE, f"{len(rest):,} bytes after its last frame are no tag and no padding"
        )


def _is_padding(content: bytes) -> bool:
    return is_padding(io.BytesIO(content), 0)


def _next_frame(content: bytes, place: int, first: _Frame) -> int:
    """Return where the next frame is that another one or the end follows, or where the content ends."""
    while (place := content.find(b"\xff", place + 1)) >= 0:
        frame = _Frame.at(content, place)
        follower = frame and _Frame.at(content, place + frame.num_bytes)
        if frame and first.is_kin(frame) and place + frame.num_bytes == len(content):
            return place
        if frame and frame.is_kin(follower):
            if first.is_kin(frame):
                return place
            third = place + frame.num_bytes + (follower.num_bytes if follower else 0)
            if frame.is_kin(_Frame.at(content, third)):
                raise UnfitError(Reason.UNREADABLE, "frames of another sample rate or layer follow")
    return len(content)


def _make_counting_frame(header_bytes: bytes, count: int) -> bytes:
    """Return a frame of layer III like another that holds nothing but how many frames come after it."""
    header = bytearray(header_bytes)
    header[1] |= 0x01  # no checksum
    header[2] = header[2] & 0x0D | 0x90  # 128 or 80 kbit/s, where there is room; no padding
    frame = _Frame.at(bytes(header), 0)
    assert frame is not None
    said = bytes(header).ljust(frame.head_bytes, b"\0") + NAMES[1] + struct.pack(">II", HAS_COUNT, count)
    return said.ljust(frame.num_bytes, b"\0")
