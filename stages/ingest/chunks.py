"""Containers made of chunks: where the samples lie, whether they are all there, and what comes after them.

WAV (RIFF, RIFX, RF64), Wave64, AIFF, CAF; and the two that have one header and no chunks, AU and NIST Sphere.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from stages.ingest.spliced import length_of, read_at
from stages.ingest.tags import is_padding

ENDLESS = 0x7FFF_0000
"""From here on a 32-bit size stands for "not known yet": writers of streams put 0x7FFFxxxx or 0xFFFFFFFF."""
WRAPPED_AT = 1 << 32
W64_NAME_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
"""The end of the names of most Wave64 chunks; the file's own has another one."""


@dataclass(frozen=True, slots=True)
class SampleBytes:
    """Where the samples of a container lie, and what is wrong with that."""

    start: int
    stop: int
    size_place: range = range(0)
    """Where their size is written, where a decoder must be told another one."""
    size_bytes: bytes = b""
    """That other one."""
    is_cut: bool = False
    trouble: str = ""
    """Why less than all would be read."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How chunks are written: the size's form, what it counts, and where the first chunk is."""

    size: str
    samples: bytes
    first: int
    name_bytes: int = 4
    size_counts_head: bool = False
    align: int = 2
    before_samples: int = 0
    """Bytes of the samples' chunk that are none."""

    @property
    def head_bytes(self) -> int:
        return self.name_bytes + struct.calcsize(self.size)


CHUNK_LAYOUTS: Mapping[str, _Kind] = {
    "wav": _Kind("<I", b"data", 12),
    "rifx": _Kind(">I", b"data", 12),
    "rf64": _Kind("<I", b"data", 12),
    "aiff": _Kind(">I", b"SSND", 12, before_samples=8),
    "caf": _Kind(">q", b"data", 8, align=1, before_samples=4),
    "w64": _Kind("<q", b"data" + W64_NAME_TAIL, 40, name_bytes=16, size_counts_head=True, align=8),
}
_NAME = re.compile(rb"[A-Za-z0-9 _.\-\xa9()/]{4}")
_BEGINNINGS = {b"RIFF", b"RIFX", b"RF64", b"FORM", b"caff", b"OggS", b"fLaC", b"riff"}
_SPHERE_FIELD = re.compile(rb"^(\w+) -(?:i|s\d+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    size_place: int
    start: int
    size: int


def find_samples(file: BinaryIO, kind: str) -> SampleBytes | None:
    """Return where the samples of a container lie; None if it has none."""
    if kind == "au":
        return _in_au(file)
    if kind == "nist":
        return _in_sphere(file)
    layout = CHUNK_LAYOUTS[kind]
    for chunk in _chunks(file, layout, layout.first):
        if chunk.name == layout.samples:
            size = _rf64_size(file) if kind == "rf64" and chunk.size >= ENDLESS else chunk.size
            return _judge(file, layout, replace(chunk, size=size))
    return None


def chunk_content(file: BinaryIO, kind: str, name: bytes) -> bytes:
    """Return the beginning of the first chunk called ``name``; empty without one."""
    layout = CHUNK_LAYOUTS[kind]
    for chunk in _chunks(file, layout, layout.first):
        if chunk.name[:4] == name:
            return read_at(file, chunk.start, min(chunk.size, 64))
    return b""


def _chunks(file: BinaryIO, layout: _Kind, place: int) -> Iterator[_Chunk]:
    while len(head := read_at(file, place, layout.head_bytes)) == layout.head_bytes:
        (size,) = struct.unpack(layout.size, head[layout.name_bytes :])
        size -= layout.head_bytes if layout.size_counts_head else 0
        yield _Chunk(
            head[: layout.name_bytes], place + layout.name_bytes, place + layout.head_bytes, int(size)
        )
        if size < 0:
            return
        place += layout.head_bytes + -(-int(size) // layout.align) * layout.align


def _rf64_size(file: BinaryIO) -> int:
    sizes = chunk_content(file, "rf64", b"ds64")
    return int(struct.unpack("<Q", sizes[8:16])[0]) if len(sizes) >= 16 else ENDLESS  # noqa: PLR2004


def _judge(file: BinaryIO, layout: _Kind, chunk: _Chunk) -> SampleBytes:
    length = length_of(file)
    stop = chunk.start + chunk.size
    found = SampleBytes(min(chunk.start + layout.before_samples, length), min(stop, length))
    if chunk.size < 0 or (layout.size in {"<I", ">I"} and chunk.size >= ENDLESS and stop > length):
        return _to_the_end(found, chunk, layout, length)
    if stop > length:
        return replace(found, is_cut=True)
    if _is_end(file, layout, stop):
        return found
    if chunk.size == 0 and not layout.size_counts_head:
        return _to_the_end(found, chunk, layout, length)
    return replace(found, trouble=_too_small(chunk, length, layout))


def _to_the_end(found: SampleBytes, chunk: _Chunk, layout: _Kind, length: int) -> SampleBytes:
    """Return samples of unknown size, which end where the file does; decoders of blocks must be told that."""
    form, size = layout.size, length - chunk.start
    place = range(chunk.size_place, chunk.size_place + struct.calcsize(form))
    if size >= WRAPPED_AT and len(place) == 4:  # noqa: PLR2004 - it cannot be told
        return replace(found, stop=length)
    return replace(found, stop=length, size_place=place, size_bytes=struct.pack(form, size))


def _too_small(chunk: _Chunk, length: int, layout: _Kind) -> str:
    left = length - chunk.start - chunk.size
    wrapped = ", as if it had wrapped at 4 GiB" if left and left % WRAPPED_AT <= layout.align else ""
    return (
        f"its size field says {chunk.size:,} bytes of samples, but {left:,} more bytes follow that are no "
        f"chunk, tag or padding{wrapped}"
    )


def _is_end(file: BinaryIO, layout: _Kind, stop: int) -> bool:
    """Whether only chunks, tags and padding follow ``stop``, or the even place after it."""
    filled = -(-stop // layout.align) * layout.align
    return any(_is_padded_end(file, layout, place) for place in dict.fromkeys((filled, stop)))


def _is_padded_end(file: BinaryIO, layout: _Kind, place: int) -> bool:
    length = length_of(file)
    for chunk in _chunks(file, layout, place):
        name, end = chunk.name, chunk.start + chunk.size
        is_chunk = _NAME.fullmatch(name[:4]) and name[:4] not in _BEGINNINGS and name != layout.samples
        if not is_chunk or chunk.size < 0 or end > length or name[:3] == b"TAG":
            break
        place = end + (-end % layout.align if end + (-end % layout.align) <= length else 0)
    return place >= length or is_padding(file, place)


def _in_au(file: BinaryIO) -> SampleBytes:
    form = "<" if read_at(file, 0, 4) == b"dns." else ">"
    place, size = struct.unpack(f"{form}II", read_at(file, 4, 8).ljust(8, b"\0"))
    length = length_of(file)
    begin = min(int(place), length)
    if size == 0xFFFF_FFFF:  # noqa: PLR2004 - "not known", says the format
        return replace(
            SampleBytes(begin, length),
            size_place=range(8, 12),
            size_bytes=struct.pack(f"{form}I", min(length - begin, WRAPPED_AT - 1)),
        )
    end = begin + int(size)
    found = SampleBytes(begin, min(end, length), is_cut=end > length)
    if end >= length or is_padding(file, end):
        return found
    if size == 0:
        return replace(
            found,
            stop=length,
            size_place=range(8, 12),
            size_bytes=struct.pack(f"{form}I", min(length - begin, WRAPPED_AT - 1)),
        )
    return replace(found, trouble=_too_small(_Chunk(b"", 0, begin, int(size)), length, CHUNK_LAYOUTS["aiff"]))


def _in_sphere(file: BinaryIO) -> SampleBytes | None:
    head = read_at(file, 0, 1024)
    said = {name: int(value) for name, value in _SPHERE_FIELD.findall(head)}
    lines = head.split(b"\n")
    if len(lines) < 2 or not lines[1].strip().isdigit() or b"sample_count" not in said:  # noqa: PLR2004
        return None
    begin = int(lines[1])
    size = said[b"sample_count"] * said.get(b"channel_count", 1) * said.get(b"sample_n_bytes", 2)
    length, end = length_of(file), begin + size
    found = SampleBytes(begin, min(end, length), is_cut=end > length)
    if end >= length or is_padding(file, end):
        return found
    return replace(found, trouble=_too_small(_Chunk(b"", 0, begin, size), length, CHUNK_LAYOUTS["aiff"]))
