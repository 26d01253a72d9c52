"""Moving a signal in time by less than a sample."""

import numpy as np
from scipy import fft

from stages.waveform import Samples

GUARD = 64
"""Zeros around the signal, so that its end does not ring into its beginning."""
EDGE = 0.06
"""Over which share of the highest frequency that moves the move comes to an end."""


def advance_samples(samples: Samples, by_samples: float, below: float = 1.0) -> Samples:
    """Return as many samples, earlier by any fraction of one, at frequencies ``below`` cycles per sample."""
    if by_samples == 0.0 or samples.size == 0:
        return samples
    size = fft.next_fast_len(samples.size + 2 * GUARD, real=True)
    padded = np.pad(samples, (GUARD, size - samples.size - GUARD))
    frequencies = fft.rfftfreq(size)
    share = np.clip((1.0 + EDGE - frequencies / below) / (2.0 * EDGE), 0.0, 1.0)
    turn = np.exp(2j * np.pi * by_samples * share * frequencies).astype(np.complex64)
    moved = fft.irfft(fft.rfft(padded) * turn, size)
    return np.ascontiguousarray(moved[GUARD : GUARD + samples.size], dtype=np.float32)
