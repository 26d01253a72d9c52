"""High-pass: the low frequencies taken away by a filter."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from stages.degradations.common.band_filter import BandFilter
from stages.dsp.filters import Band
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer, LogUniform, OneOf


@DEGRADATIONS.register
class HighPass(BandFilter):
    """A high-pass of one of six families. At or above half the rate it leaves the speech alone.

    The default range, 80 to 1000 Hz, reaches from a microphone's rumble filter to a toy's loudspeaker
    (Resemble-Enhance's band-pass begins at 100 to 1000 Hz).
    """

    kind: ClassVar[str] = "high_pass"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "cutoff_hz": LogUniform(low=80.0, high=1_000.0),
        "family": OneOf(values=("butter", "cheby1", "ellip", "bessel")),
        "order": Integer(low=2, high=8),
    }

    cutoff_hz: float = Field(ge=5.0, le=100_000.0)
    """The lower edge of what is kept."""

    def band_at(self, sample_rate: int) -> tuple[Band, tuple[float, ...]] | None:
        """Return the filter, unless nothing would be left above its edge."""
        return ("highpass", (self.cutoff_hz,)) if self.cutoff_hz < sample_rate / 2 else None
