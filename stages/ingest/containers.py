"""What a file holds, as its container says and as its bytes show.

Decoders read what they find, and say nothing of the rest. A file is one stream of audio, or several that
follow one another in an Ogg, FLAC or MPEG file. Whatever lies after the last byte that is used, and is no
chunk, tag or padding, is a reason to refuse it.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from schemas import Reason, UnfitError
from stages.ingest.boxes import count_wavpack, find_trouble
from stages.ingest.chunks import CHUNK_LAYOUTS, chunk_content, find_samples
from stages.ingest.flac_frames import claimed_samples, header_with_total, held_samples, split_flac
from stages.ingest.formats import FOREIGN, kind_of
from stages.ingest.mp3 import MpegStream, is_mpeg, split_mpeg
from stages.ingest.ogg import split_ogg
from stages.ingest.spliced import length_of, read_at, splice
from stages.ingest.tags import after_tags

CUT_SHORT = "cut short: the file ends before its samples do"
NOT_AUDIO = "not audio in a known format, or damaged"
LAYER_2_DELAY = 481
"""Samples by which the two filter banks of MPEG layers I and II are late together (ISO/IEC 11172-3)."""
MPEG_IN_WAV = frozenset({0x50, 0x55})


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds."""

    kind: str
    streams: list[BinaryIO]
    """One after another; each is a file of its own for a decoder."""
    trouble: str = ""
    """Why the end of the last one is not the end of the recording."""
    sample_bytes: int | None = None
    """How many bytes of samples there are, where that is known."""
    claimed_frames: int | None = None
    """How many samples of each channel the header states, where that is exact."""
    delay: int = 0
    """Samples at the beginning that the codec has put there."""


def look_into(file: BinaryIO) -> Contents:
    """Return what ``file`` holds. Raises ``UnfitError`` if it is no audio, damaged, or not read here."""
    view = without_front(file)
    kind = kind_of(read_at(view, 0, 64)) or ("mpeg" if is_mpeg(view) else None)
    if kind is None:
        raise UnfitError(Reason.UNREADABLE, NOT_AUDIO)
    if kind in FOREIGN:
        raise UnfitError(Reason.UNREADABLE, f"{FOREIGN[kind]}: a format that is not read here")
    return _LOOKS.get(kind, _look_at_boxes)(view, kind)


def without_front(file: BinaryIO) -> BinaryIO:
    """Return ``file`` from where its container begins: tags and zeros may come before it."""
    length = length_of(file)
    if kind_of(read_at(file, 0, 64)):
        return splice(file, range(length))
    return splice(file, range(min(after_tags(file), length), length))


def _look_at_ogg(view: BinaryIO, kind: str) -> Contents:
    links, is_cut = split_ogg(view)
    return Contents(kind, [splice(view, link) for link in links], CUT_SHORT if is_cut else "")


def _look_at_flac(view: BinaryIO, kind: str) -> Contents:
    spans, trouble = split_flac(view), ""
    streams: list[BinaryIO] = []
    for span in spans:
        claimed, held = claimed_samples(view, span.start), held_samples(view, span)
        trouble = trouble or _trouble_of_flac(claimed, held)
        streams.append(_flac_with_total(view, span, held) if held and not claimed else splice(view, span))
    return Contents(kind, streams, trouble)


def _flac_with_total(view: BinaryIO, span: range, total: int) -> BinaryIO:
    header = header_with_total(view, span, total)
    return splice(view, header, range(span.start + len(header), span.stop))


def _trouble_of_flac(claimed: int, held: int | None) -> str:
    if held is None:
        return f"{CUT_SHORT}, or something that is no frame comes after them"
    if claimed and claimed != held:
        return f"its header says {claimed:,} samples, and its last frame ends at {held:,}"
    return ""


def _look_at_mpeg(view: BinaryIO, kind: str) -> Contents:
    found = split_mpeg(view)
    trouble = CUT_SHORT if any(stream.is_cut for stream in found) else ""
    streams: list[BinaryIO] = [stream.open(view) for stream in found]
    if found[0].is_layer_3:
        return Contents("mp3", streams, trouble)
    return Contents(kind, streams, trouble, claimed_frames=_frames_of(found), delay=LAYER_2_DELAY)


def _frames_of(streams: list[MpegStream]) -> int:
    return sum(stream.num_frames * stream.first.num_samples for stream in streams)


def _look_at_chunks(view: BinaryIO, kind: str) -> Contents:
    found = find_samples(view, kind)
    if found is None:
        raise UnfitError(Reason.UNREADABLE, NOT_AUDIO)
    trouble = CUT_SHORT if found.is_cut else found.trouble
    if kind == "wav" and wav_codec(view) in MPEG_IN_WAV:
        inside = _look_at_mpeg_in_wav(view, range(found.start, found.stop))
        return replace(inside, trouble=trouble or inside.trouble)
    end = length_of(view) if kind == "caf" else found.stop  # what follows may say how the samples are packed
    told = found.size_place
    opened = splice(view, range(told.start), found.size_bytes, range(told.stop, end))
    return Contents(
        kind,
        [opened],
        trouble,
        sample_bytes=found.stop - found.start,
        claimed_frames=_frames_in_aiff(view) if kind == "aiff" else None,
    )


def _look_at_mpeg_in_wav(view: BinaryIO, span: range) -> Contents:
    inside = splice(view, span)
    if not is_mpeg(inside):
        raise UnfitError(Reason.UNREADABLE, NOT_AUDIO)
    return _look_at_mpeg(inside, "mpeg")


def wav_codec(view: BinaryIO) -> int:
    """Return the number that a WAV file has for its codec."""
    described = chunk_content(view, "wav", b"fmt ")
    return int.from_bytes(described[:2], "little")


def _frames_in_aiff(view: BinaryIO) -> int | None:
    described = chunk_content(view, "aiff", b"COMM")
    return int(struct.unpack(">I", described[2:6])[0]) if len(described) >= 6 else None  # noqa: PLR2004


def _look_at_boxes(view: BinaryIO, kind: str) -> Contents:
    is_cut, trouble = find_trouble(view, kind)
    claimed, held = count_wavpack(view) if kind == "wv" else (None, 0)
    if claimed is not None and claimed != held:
        trouble = trouble or f"its header says {claimed:,} samples, and its blocks hold {held:,}"
    return Contents(kind, [view], CUT_SHORT if is_cut else trouble)


_LOOKS: Mapping[str, Callable[[BinaryIO, str], Contents]] = {
    "ogg": _look_at_ogg,
    "flac": _look_at_flac,
    "mpeg": _look_at_mpeg,
    **dict.fromkeys([*CHUNK_LAYOUTS, "au", "nist"], _look_at_chunks),
}
