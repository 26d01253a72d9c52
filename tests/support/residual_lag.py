"""By how much one signal is later than another, between samples too, and whether it is upside down."""

import numpy as np

from stages.audio.waveform import Waveform

FINENESS = 32
"""Places between two samples at which the correlation is looked at."""
AUDIBLE = 1e-3


def residual_lag(late: Waveform, early: Waveform) -> tuple[float, int]:
    """Return the lag in samples and the polarity, by GCC-PHAT (Knapp and Carter 1976) with its sign."""
    size = 1 << (late.samples.size + early.samples.size).bit_length()
    there, here = (np.fft.rfft(each.samples.astype(np.float64), size) for each in (late, early))
    cross = there * here.conj()
    heard = np.minimum(np.abs(there), np.abs(here))
    kept = heard > AUDIBLE * np.sqrt(np.mean(np.abs(here) ** 2))
    white = np.where(kept, cross / np.maximum(np.abs(cross), 1e-30), 0.0)
    correlation = np.fft.irfft(white, size * FINENESS)
    place = int(np.argmax(np.abs(correlation)))
    lag = place if place < correlation.size // 2 else place - correlation.size
    return lag / FINENESS, int(np.sign(correlation[place]))
