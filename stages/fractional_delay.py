"""Moving a signal in time by less than a sample."""

import numpy as np
from scipy import fft

from stages.waveform import Samples

GUARD = 64
"""Zeros around the signal, so that its end does not ring into its beginning."""


def advanced(samples: Samples, by_samples: float) -> Samples:
    """Return ``samples`` earlier by any fraction of a sample, as many as before."""
    if by_samples == 0.0 or samples.size == 0:
        return samples
    size = fft.next_fast_len(samples.size + 2 * GUARD, real=True)
    padded = np.pad(samples, (GUARD, size - samples.size - GUARD))
    turn = np.exp(2j * np.pi * by_samples * fft.rfftfreq(size)).astype(np.complex64)
    moved = fft.irfft(fft.rfft(padded) * turn, size)
    return np.ascontiguousarray(moved[GUARD : GUARD + samples.size], dtype=np.float32)
