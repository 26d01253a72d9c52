"""Recordings as people have them, decoded to mono float32, or refused in our own words."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from schemas import Reason, UnfitError
from stages.audio.waveform import Samples, Waveform
from stages.ingest.containers import CUT_SHORT, look_into
from stages.ingest.mix_down import ChannelRule, MixDown
from stages.ingest.sounds import OpenSound, open_sound

SAMPLE_RATES = range(1_000, 384_001)


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

    What libsndfile or PyAV opens, whole: streams that follow one another are joined, a header that does not
    know how much there is gives what is there, and a duration beyond the end gives what is left.
    Raises ``UnfitError``: ``UNREADABLE`` if it is not audio, is damaged or cut short, or would give a part of
    itself; ``EMPTY`` without samples; ``NOT_FINITE``; ``NOT_MONO`` if that is the rule.
    """
    contents = look_into(file)
    mixer = MixDown(channels)
    with ExitStack() as stack:
        sounds = [stack.enter_context(open_sound(contents, stream)) for stream in contents.streams]
        _check(sounds, channels)
        frames = sum(sound.frames for sound in sounds)
        start, wanted = _stretch(frames, sounds[0].sample_rate, offset_s, duration_s)
        samples = _mono(sounds, start, wanted, mixer)
        if start + wanted >= frames and contents.trouble:
            raise UnfitError(Reason.UNREADABLE, contents.trouble)
        if samples.size < wanted:
            raise UnfitError(Reason.UNREADABLE, CUT_SHORT)
        return Decoded(
            waveform=Waveform(_require_finite(samples), sounds[0].sample_rate),
            channels=sounds[0].channels,
            bits=sounds[0].bits,
            is_float=sounds[0].is_float,
            mix_loss_db=mixer.loss_db,
        )


def _check(sounds: list[OpenSound], channels: ChannelRule) -> None:
    (rate, number), *others = dict.fromkeys((sound.sample_rate, sound.channels) for sound in sounds)
    if rate not in SAMPLE_RATES:
        raise UnfitError(Reason.UNREADABLE, f"claims a sample rate of {rate} Hz")
    if others:
        raise UnfitError(Reason.UNREADABLE, "its streams differ in sample rate or in channels")
    if channels == "reject" and number > 1:
        raise UnfitError(Reason.NOT_MONO, f"{number} channels")


def _stretch(frames: int, rate: float, offset_s: float, duration_s: float | None) -> tuple[int, int]:
    """Return the first frame and the number of frames that are asked for and promised."""
    start = round(offset_s * rate)
    if frames == 0:
        raise UnfitError(Reason.EMPTY, "no samples")
    if start >= frames:
        raise UnfitError(Reason.EMPTY, f"the offset of {offset_s:g} s is not before the end")
    wanted = frames if duration_s is None else max(1, round(duration_s * rate))
    return start, min(wanted, frames - start)


def _mono(sounds: list[OpenSound], start: int, wanted: int, mixer: MixDown) -> Samples:
    blocks = [np.empty(0, np.float32)]
    for sound in sounds:
        here = min(max(0, sound.frames - start), wanted)
        blocks += [mixer.mix(block) for block in sound.blocks(start, here)] if here else []
        start, wanted = max(0, start - sound.frames), wanted - here
    return np.concatenate(blocks)


def _require_finite(samples: Samples) -> Samples:
    if not np.isfinite(samples).all():
        raise UnfitError(Reason.NOT_FINITE, "NaN or infinite samples")
    return samples
