"""A high shelf: the high frequencies louder or quieter."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from stages.degradations.common.spectral import SpectralDegradation
from stages.dsp.filters import BUTTERWORTH_Q, design_high_shelf
from stages.dsp.spectral_gain import Gains, Hertz, magnitude_of
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, OneOf, Uniform


@DEGRADATIONS.register
class HighShelf(SpectralDegradation):
    """``gain_db`` above the corner, half of it at the corner, none below (Audio EQ Cookbook).

    The default is SonicMaster's "bright" (6 kHz, down by 6 to 15 dB) and "dark" (up by as much); "airy" is
    10 kHz, down by 10 to 20 dB.
    """

    kind: ClassVar[str] = "high_shelf"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "corner_hz": OneOf(values=(6_000.0,)),
        "gain_db": Uniform(low=-15.0, high=15.0),
    }

    corner_hz: float = Field(ge=10.0, le=100_000.0)
    """Where half of ``gain_db`` is reached."""
    gain_db: float = Field(ge=-60.0, le=60.0)
    """Far above the corner."""
    q: float = Field(default=BUTTERWORTH_Q, ge=0.1, le=2.0)
    """Above 0.71 the shelf overshoots at its corner."""

    def acts_at(self, sample_rate: int) -> bool:
        """Whether the corner lies below half of ``sample_rate``, and there is a gain."""
        return self.gain_db != 0.0 and self.corner_hz < sample_rate / 2

    def gains(self, hertz: Hertz, sample_rate: int) -> Gains:
        """Return the magnitude of the shelf."""
        sections = design_high_shelf(self.corner_hz, self.gain_db, self.q, sample_rate)
        return magnitude_of(sections, hertz, sample_rate)
