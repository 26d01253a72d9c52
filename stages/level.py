"""Levels: the handful of formulas that must mean the same everywhere."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating[Any]]

SILENCE_RMS = 1e-6
"""−120 dBFS: below this there is nothing to measure or to restore."""


def rms(samples: Signal) -> float:
    """Root mean square over all samples."""
    if samples.size == 0:
        return 0.0
    precise = samples.astype(np.float64)
    return float(np.sqrt(np.vdot(precise, precise) / precise.size))


def peak(samples: Signal) -> float:
    """Largest absolute value."""
    return float(max(samples.max(), -samples.min())) if samples.size else 0.0


def to_db(ratio: float) -> float:
    """Amplitude ratio in decibels; −240 dB stands for nothing at all."""
    return 20.0 * float(np.log10(max(ratio, 1e-12)))


def from_db(decibels: float) -> float:
    """Decibels as an amplitude ratio."""
    return float(10.0 ** (decibels / 20.0))


def ratio_db(signal: Signal, noise: Signal) -> float:
    """Power ratio of two signals in decibels."""
    return to_db(max(rms(signal), 1e-12) / max(rms(noise), 1e-12))


def is_silent(samples: Signal) -> bool:
    """Whether the level is under −120 dBFS."""
    return samples.size == 0 or float(np.vdot(samples, samples)) < SILENCE_RMS**2 * samples.size
