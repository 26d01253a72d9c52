"""One stream of audio, opened by libsndfile, or by PyAV where that does not know it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.ingest.av_reader import FORMATS, read_with_av
from stages.ingest.containers import NOT_AUDIO, Contents

Frames = NDArray[np.float32]
"""Frames × channels."""

_BLOCK = 65_536
"""Frames per read: a long file of many channels is never whole in memory."""
_ONLY_AV = frozenset({"aac", "amr", "matroska", "mov", "mpeg", "wv"})
BITS_OF_SUBTYPE = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "FLOAT": 32,
    "DOUBLE": 64,
}
BITS_STORED = BITS_OF_SUBTYPE | {
    "ULAW": 8,
    "ALAW": 8,
    "IMA_ADPCM": 4,
    "MS_ADPCM": 4,
    "GSM610": 1.625,
    "G721_32": 4,
    "G723_24": 3,
    "G723_40": 5,
    "NMS_ADPCM_16": 2,
    "NMS_ADPCM_24": 3,
    "NMS_ADPCM_32": 4,
}
"""Of each sample, without what heads its block."""
_LEAST_OF_BLOCKS = 0.8
"""How much of what their bytes would hold is in blocks at least; their heads take the rest."""


@dataclass(frozen=True, slots=True)
class OpenSound:
    """A stream of audio, of which any stretch can be read."""

    sample_rate: int
    channels: int
    frames: int
    bits: int | None
    """Bits per sample; None for lossy codecs, and where PyAV decodes."""
    is_float: bool
    blocks: Callable[[int, int], Iterator[Frames]]
    """Yields the frames from one on, as many as asked for, or as there are."""


@contextmanager
def open_sound(contents: Contents, stream: BinaryIO) -> Iterator[OpenSound]:
    """Open a stream of ``contents``. Raises ``UnfitError`` if it is damaged, or gives less than it holds."""
    opened = None if contents.kind in _ONLY_AV else open_with_soundfile(stream)
    if opened is None:
        yield _from_av(contents, stream)
        return
    try:
        with opened:
            yield _from_soundfile(contents, opened)
    except soundfile.SoundFileError as error:
        reason = contents.trouble or "damaged: it opens, and cannot be read to its end"
        raise UnfitError(Reason.UNREADABLE, reason) from error


def open_with_soundfile(stream: BinaryIO) -> soundfile.SoundFile | None:
    """Return ``stream`` opened by libsndfile; None if that does not know what it is."""
    stream.seek(0)
    try:
        return soundfile.SoundFile(stream)
    except soundfile.SoundFileError:
        return None


def _from_av(contents: Contents, stream: BinaryIO) -> OpenSound:
    if contents.kind not in FORMATS:
        raise UnfitError(Reason.UNREADABLE, contents.trouble or NOT_AUDIO)
    try:
        samples, rate = read_with_av(stream, contents.kind)
    except UnfitError as error:
        raise UnfitError(error.reason, contents.trouble or error.detail) from error
    _require_claimed(contents, len(samples))
    kept = samples[contents.delay :]

    def blocks(start: int, wanted: int) -> Iterator[Frames]:
        yield kept[start : start + wanted]

    return OpenSound(rate, kept.shape[1], len(kept), bits=None, is_float=False, blocks=blocks)


def _from_soundfile(contents: Contents, opened: soundfile.SoundFile) -> OpenSound:
    bits = BITS_OF_SUBTYPE.get(opened.subtype)
    if bits is not None:
        _require_claimed(contents, opened.frames)
    if opened.subtype in BITS_STORED and contents.sample_bytes is not None:
        stored, exact = BITS_STORED[opened.subtype], bits is not None
        held = int(contents.sample_bytes * 8 / (stored * opened.channels))
        _require_all(held if exact else int(held * _LEAST_OF_BLOCKS), opened.frames)

    def blocks(start: int, wanted: int) -> Iterator[Frames]:
        if opened.subtype.startswith("MPEG"):  # a seek lands somewhere near, and soundfile seeks after a read
            yield _read(opened, start + wanted)[start:]
            return
        skipped = 0 if opened.seekable() else start
        if opened.seekable():
            opened.seek(start)
        while skipped + wanted > 0 and len(block := _read(opened, min(skipped + wanted, _BLOCK))):
            yield block[skipped:]
            wanted -= len(block[skipped:])
            skipped = max(0, skipped - len(block))

    is_float = opened.subtype in {"FLOAT", "DOUBLE"}
    return OpenSound(opened.samplerate, opened.channels, int(opened.frames), bits, is_float, blocks)


def _read(opened: soundfile.SoundFile, frames: int) -> Frames:
    return np.asarray(opened.read(frames, dtype="float32", always_2d=True))


def _require_claimed(contents: Contents, frames: int) -> None:
    if contents.claimed_frames is not None:
        _require_all(contents.claimed_frames, frames)


def _require_all(held: int, frames: int) -> None:
    if frames < held:
        raise UnfitError(Reason.UNREADABLE, f"holds {held:,} samples, of which {frames:,} can be read")
