"""Filters: shelves and bells of R. Bristow-Johnson's cookbook, and the families that scipy designs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.dsp.spectral_gain import Sections

BUTTERWORTH_Q = 0.7071
RecursiveFamily = Literal["butter", "cheby1", "cheby2", "ellip", "bessel"]
Band = Literal["lowpass", "highpass", "bandpass", "bandstop"]


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


@dataclass(frozen=True, slots=True)
class Prototype:
    """A family with all that it needs but its edges."""

    family: RecursiveFamily
    order: int
    ripple_db: float
    stop_attenuation_db: float

    def sections(self, band: Band, edges_hz: Sequence[float], sample_rate: int) -> Sections:
        """Return the second-order sections.

        At the edges the response is 3 dB down (butter, bessel), at the end of the pass band's ripple
        (cheby1, ellip), or at the beginning of the stop band (cheby2), as scipy has it.
        """
        from scipy import signal  # noqa: PLC0415 - 0.8 s

        edges = edges_hz[0] if len(edges_hz) == 1 else edges_hz
        rest = {"btype": band, "output": "sos", "fs": sample_rate}
        match self.family:
            case "butter":
                sections = signal.butter(self.order, edges, **rest)
            case "bessel":
                sections = signal.bessel(self.order, edges, norm="mag", **rest)
            case "cheby1":
                sections = signal.cheby1(self.order, self.ripple_db, edges, **rest)
            case "cheby2":
                sections = signal.cheby2(self.order, self.stop_attenuation_db, edges, **rest)
            case "ellip":
                sections = signal.ellip(self.order, self.ripple_db, self.stop_attenuation_db, edges, **rest)
        return np.asarray(sections, dtype=np.float64)
