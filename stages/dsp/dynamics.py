"""Gains that follow a level: what compressors, automatic gain controls and the like have in common.

Levels are looked at 4,000 times per second, so that the one step that cannot be vectorised, smoothing
with other speeds up and down, costs next to nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.audio.audible import remove_infrasound
from stages.audio.level import SILENCE_RMS
from stages.audio.waveform import Samples, Waveform

CONTROL_HZ = 4_000
HOLD_S = 0.01
"""Longer than half a period of the deepest voice: a gain follows the loudness, not the waveform."""
Control = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ballistics:
    """How fast a gain falls and rises: times until 63 % of a step are done."""

    attack_ms: float
    release_ms: float

    def smooth(self, targets_db: Control, sample_rate: int) -> Control:
        """Return gains that fall with the attack and rise with the release, from the first target on."""
        fall, rise = (_decay(t, sample_rate) for t in (self.attack_ms, self.release_ms))
        return np.asarray(_follow(targets_db.tolist(), fall, rise))


def step_of(sample_rate: int) -> int:
    """Return how many samples share one control value."""
    return max(1, round(sample_rate / CONTROL_HZ))


def peaks_db(waveform: Waveform, hold_s: float = HOLD_S) -> Control:
    """Return the highest peak of the last ``hold_s`` in dBFS, one per control step; at least −120.

    Of what can be heard: an offset would hold a gain down for good, and keep a pause from being one.
    """
    from scipy.ndimage import maximum_filter1d  # noqa: PLC0415 - 0.2 s

    step = step_of(waveform.sample_rate)
    sizes = np.abs(remove_infrasound(waveform.samples, waveform.sample_rate))
    blocks = np.pad(sizes, (0, -sizes.size % step)).reshape(-1, step).max(axis=1)
    width = max(1, math.ceil(hold_s * waveform.sample_rate / step))
    held = maximum_filter1d(blocks, width, origin=(width - 1) // 2, mode="constant")
    return np.asarray(20.0 * np.log10(np.maximum(held, SILENCE_RMS, dtype=np.float64)))


def amplify(waveform: Waveform, gains_db: Control) -> Waveform:
    """Return the waveform times the gains, which are joined by straight lines."""
    step = step_of(waveform.sample_rate)
    gains = (10.0 ** (gains_db / 20.0)).astype(np.float32)
    return waveform.with_samples(waveform.samples * _join_gains(gains, step, waveform.samples.size))


def _join_gains(gains: NDArray[np.float32], step: int, length: int) -> Samples:
    before = np.r_[gains[:1], gains[:-1]]
    share = (np.arange(1, step + 1, dtype=np.float32) / np.float32(step))[None, :]
    joined = before[:, None] + (gains - before)[:, None] * share
    return np.asarray(joined.reshape(-1)[:length])


def _decay(time_ms: float, sample_rate: int) -> float:
    if time_ms == 0.0:
        return 0.0
    return math.exp(-step_of(sample_rate) / (time_ms / 1_000.0 * sample_rate))


def _follow(targets: Sequence[float], fall: float, rise: float) -> list[float]:
    gain, gains = (targets or [0.0])[0], []
    for target in targets:
        gain = target + (fall if target < gain else rise) * (gain - target)
        gains.append(gain)
    return gains
