"""Levels: the handful of formulas that must mean the same everywhere.

They count every sample, an offset too: for full scale, for what is left of a signal, for what was made here
and has no offset. How loud something is to anybody is in ``stages/audio/audible.py``.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating[Any]]

_BLOCK = 512
GLANCE = 64 * _BLOCK
SILENCE_RMS = 1e-6
"""−120 dBFS: below this there is nothing to measure or to restore."""


def energy(samples: Signal) -> float:
    """Sum of squares, in blocks of the samples' own precision and among blocks in double precision.

    Within 1e-6 of what double precision gives. Not by BLAS, which adds in the order that suits the processor.
    """
    flat = samples.reshape(-1)
    whole = flat.size // _BLOCK * _BLOCK
    total = sum(
        float(np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64))
        for rows in (flat[:whole].reshape(-1, _BLOCK), flat[whole:].reshape(1, -1))
    )
    return total if np.isfinite(total) or flat.dtype == np.float64 else energy(flat.astype(np.float64))


def rms(samples: Signal) -> float:
    """Root mean square over all samples."""
    return mean_root(energy(samples), samples.size)


def mean_root(total_energy: float, size: int) -> float:
    """Root mean square of ``size`` samples of which the energy is known."""
    return math.sqrt(total_energy / size) if size else 0.0


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
    """Whether there is nothing at all: RMS under −120 dBFS, an offset counted."""
    return not exceeds(samples, SILENCE_RMS**2 * samples.size)


def exceeds(samples: Signal, limit: float) -> bool:
    """Whether the energy is above ``limit``, or not a number: the beginning of a recording mostly tells."""
    so_far = 0.0
    for start in range(0, samples.size, GLANCE):
        so_far += energy(samples[start : start + GLANCE])
        if not so_far <= limit:
            return True
    return False
