"""Recordings as people have them, decoded to mono float32, or refused in our own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.audio.waveform import Samples, Waveform
from stages.ingest.containers import has_damaged_page, is_cut_short
from stages.ingest.mix_down import ChannelRule, MixDown
from stages.ingest.mp3 import with_length

SAMPLE_RATES = range(1_000, 384_001)
_BLOCK = 65_536
"""Frames per read: a long file of many channels is never whole in memory."""
BITS_OF_SUBTYPE = {
    "PCM_S8": 8,
    "PCM_U8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 32,
    "FLOAT": 32,
    "DOUBLE": 64,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """Mono samples at the file's own rate, and how the file held them."""

    waveform: Waveform
    channels: int
    bits: int | None
    """Bits per sample; None for lossy codecs."""
    is_float: bool
    """Whether samples may exceed 1: they are kept as they are."""
    mix_loss_db: float = 0.0
    """By how much the channels cancel each other in the mix."""


def decode_recording(
    file: BinaryIO, offset_s: float = 0.0, duration_s: float | None = None, channels: ChannelRule = "mean"
) -> Decoded:
    """Return the stretch of ``file`` from ``offset_s``, or all of it, as mono samples.

    WAV, FLAC, Ogg, MP3, Opus and AIFF. A header of a stream that claims endless data gives what is there;
    a duration beyond the end gives what is left. Raises ``UnfitError``: ``UNREADABLE`` if it is not audio,
    is damaged or cut short; ``EMPTY`` without samples; ``NOT_FINITE``; ``NOT_MONO`` if that is the rule.
    """
    cut_short = is_cut_short(file)
    if has_damaged_page(file):
        raise UnfitError(Reason.UNREADABLE, "damaged: a page is not what its checksum says")
    with _open_sound(with_length(file)) as sound:
        _check(sound, channels)
        start, wanted = _stretch(sound, offset_s, duration_s)
        mixer = MixDown(channels)
        samples = _mono(sound, start, wanted, mixer)
        reaches_the_end = start + wanted >= sound.frames
        if samples.size < wanted or (cut_short and reaches_the_end):
            raise UnfitError(Reason.UNREADABLE, "cut short: the file ends before its samples do")
        return Decoded(
            waveform=Waveform(_require_finite(samples), sound.samplerate),
            channels=sound.channels,
            bits=BITS_OF_SUBTYPE.get(sound.subtype),
            is_float=sound.subtype in {"FLOAT", "DOUBLE"},
            mix_loss_db=mixer.loss_db,
        )


@contextmanager
def _open_sound(file: BinaryIO) -> Iterator[soundfile.SoundFile]:
    try:
        with soundfile.SoundFile(file) as sound:
            yield sound
    except soundfile.SoundFileError as error:
        raise UnfitError(Reason.UNREADABLE, "not audio in a known format, or damaged") from error


def _check(sound: soundfile.SoundFile, channels: ChannelRule) -> None:
    if sound.samplerate not in SAMPLE_RATES:
        raise UnfitError(Reason.UNREADABLE, f"claims a sample rate of {sound.samplerate} Hz")
    if channels == "reject" and sound.channels > 1:
        raise UnfitError(Reason.NOT_MONO, f"{sound.channels} channels")


def _stretch(sound: soundfile.SoundFile, offset_s: float, duration_s: float | None) -> tuple[int, int]:
    """Return the first frame and the number of frames that are asked for and promised."""
    frames, rate = int(sound.frames), float(sound.samplerate)
    start = round(offset_s * rate)
    if frames == 0:
        raise UnfitError(Reason.EMPTY, "no samples")
    if start >= frames:
        raise UnfitError(Reason.EMPTY, f"the offset of {offset_s:g} s is not before the end")
    wanted = frames if duration_s is None else max(1, round(duration_s * rate))
    return start, min(wanted, frames - start)


def _mono(sound: soundfile.SoundFile, start: int, wanted: int, mixer: MixDown) -> Samples:
    if sound.format == "MP3":  # a seek in MP3 lands somewhere near, and soundfile seeks after every read
        return mixer.mix(_read(sound, start + wanted)[start:])
    sound.seek(start)
    blocks = [np.empty(0, np.float32)]
    while wanted > 0 and len(block := _read(sound, min(wanted, _BLOCK))):
        blocks.append(mixer.mix(block))
        wanted -= len(block)
    return np.concatenate(blocks)


def _read(sound: soundfile.SoundFile, frames: int) -> NDArray[np.float32]:
    return np.asarray(sound.read(frames, dtype="float32", always_2d=True))


def _require_finite(samples: Samples) -> Samples:
    if not np.isfinite(samples).all():
        raise UnfitError(Reason.NOT_FINITE, "NaN or infinite samples")
    return samples
