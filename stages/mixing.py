"""Mixing: how loud one recording stands against another, and a recording made as long as needed."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stages.level import rms, to_db
from stages.waveform import Samples

SnrDefinition = Literal["rms_full", "rms_active"]

FRAME = 1024
HOP = 512
ACTIVE_SHARE = 0.01
SEAM_S = 0.01


def level_of(samples: Samples, definition: SnrDefinition) -> float:
    """Return the RMS over all samples, or over those that are not silent."""
    if definition == "rms_full" or samples.size < FRAME:
        return rms(samples)
    active = non_silent(samples)
    return rms(samples[active]) if active.any() else rms(samples)


def non_silent(samples: Samples) -> NDArray[np.bool_]:
    """Return which samples lie in frames above 1 % of the mean frame power.

    Frames of 1024 samples every 512, whatever the rate: ``detect_non_silence`` of the URGENT 2024
    simulation (after ESPnet), which the AATC 2025 recipe applies to the speech and to the noise.
    """
    padded = np.pad(samples.astype(np.float64), (0, -(samples.size - FRAME) % HOP))
    powers = np.mean(np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] ** 2, axis=1)
    frames = powers > ACTIVE_SHARE * powers.mean()
    marks = np.repeat(frames, HOP)[: samples.size]
    return np.pad(marks, (0, samples.size - marks.size), mode="edge")


def measured_snr_db(speech: Samples, noise: Samples, definition: SnrDefinition) -> float:
    """Return the level of ``speech`` over that of ``noise`` in decibels."""
    return to_db(level_of(speech, definition) / max(level_of(noise, definition), 1e-12))


def stretch_of(
    samples: Samples, offset_fraction: float, length: int, sample_rate: int
) -> tuple[Samples, int]:
    """Return ``length`` samples and where they start in the recording.

    A recording that is long enough is cut; a shorter one is looped, its end faded into its
    beginning over 10 ms (equal power, since the two are unrelated), so that no seam clicks.
    """
    spare = samples.size - length
    if spare >= 0:
        start = int(offset_fraction * (spare + 1))
        return samples[start : start + length], start
    loop = _seamless(samples, round(SEAM_S * sample_rate))
    start = int(offset_fraction * loop.size)
    return np.take(loop, np.arange(start, start + length), mode="wrap"), start


def _seamless(samples: Samples, seam: int) -> Samples:
    seam = min(seam, samples.size // 4)
    if seam == 0:
        return samples
    turn = (np.arange(seam, dtype=np.float32) + np.float32(0.5)) * np.float32(np.pi / 2 / seam)
    loop = samples[:-seam].copy()
    loop[:seam] = samples[:seam] * np.sin(turn) + samples[-seam:] * np.cos(turn)
    return loop
