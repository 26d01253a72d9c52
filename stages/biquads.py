"""Shelves and bells: the second-order sections of R. Bristow-Johnson's Audio EQ Cookbook."""

import math

import numpy as np

from stages.spectral_gain import Sections

BUTTERWORTH_Q = 0.7071


def design_low_shelf(corner_hz: float, gain_db: float, q: float, sample_rate: int) -> Sections:
    """Return a shelf with ``gain_db`` well below the corner, half of that at it, and none above."""
    return _design_shelf(corner_hz, gain_db, q, sample_rate, sign=1.0)


def design_high_shelf(corner_hz: float, gain_db: float, q: float, sample_rate: int) -> Sections:
    """Return a shelf with ``gain_db`` well above the corner, half of that at it, and none below."""
    return _design_shelf(corner_hz, gain_db, q, sample_rate, sign=-1.0)


def design_bell(centre_hz: float, gain_db: float, q: float, sample_rate: int) -> Sections:
    """Return a peaking filter with ``gain_db`` at the centre and none far from it."""
    a = 10.0 ** (gain_db / 40.0)
    w = 2.0 * math.pi * centre_hz / sample_rate
    alpha, cosine = math.sin(w) / (2.0 * q), math.cos(w)
    upper = 1.0 + alpha * a, -2.0 * cosine, 1.0 - alpha * a
    lower = 1.0 + alpha / a, -2.0 * cosine, 1.0 - alpha / a
    return np.asarray(np.array([[*upper, *lower]]) / lower[0])


def _design_shelf(corner_hz: float, gain_db: float, q: float, sample_rate: int, *, sign: float) -> Sections:
    """Return a low shelf for a ``sign`` of 1, a high one for −1: they differ in the sign of the cosine."""
    a = 10.0 ** (gain_db / 40.0)
    w = 2.0 * math.pi * corner_hz / sample_rate
    slope, cosine = 2.0 * math.sqrt(a) * math.sin(w) / (2.0 * q), sign * math.cos(w)
    upper = (
        a * ((a + 1.0) - (a - 1.0) * cosine + slope),
        sign * 2.0 * a * ((a - 1.0) - (a + 1.0) * cosine),
        a * ((a + 1.0) - (a - 1.0) * cosine - slope),
    )
    lower = (
        (a + 1.0) + (a - 1.0) * cosine + slope,
        sign * -2.0 * ((a - 1.0) + (a + 1.0) * cosine),
        (a + 1.0) + (a - 1.0) * cosine - slope,
    )
    return np.asarray(np.array([[*upper, *lower]]) / lower[0])
