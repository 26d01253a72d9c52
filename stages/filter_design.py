"""The filter families of the field, designed by scipy; their edges mean what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.spectral_gain import Sections

RecursiveFamily = Literal["butter", "cheby1", "cheby2", "ellip", "bessel"]
Band = Literal["lowpass", "highpass", "bandpass", "bandstop"]


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
