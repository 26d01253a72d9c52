"""Low-pass: the high frequencies taken away by a filter."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from stages.degradations.common.band_filter import BandFilter
from stages.dsp.filters import Band
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer, OneOf, Uniform


@DEGRADATIONS.register
class LowPass(BandFilter):
    """A low-pass of one of six families. At or above half the rate it leaves the speech alone.

    The defaults are VoiceFixer's: edges of 0.75 to 22.05 kHz, orders 2 to 10, five families.
    """

    kind: ClassVar[str] = "low_pass"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "cutoff_hz": Uniform(low=750.0, high=22_050.0),
        "family": OneOf(values=("butter", "cheby1", "ellip", "bessel", "stft_hard")),
        "order": Integer(low=2, high=10),
    }

    cutoff_hz: float = Field(ge=20.0, le=100_000.0)
    """The upper edge of what is kept."""

    def band_at(self, sample_rate: int) -> tuple[Band, tuple[float, ...]] | None:
        """Return the filter, unless there is nothing above its edge."""
        return ("lowpass", (self.cutoff_hz,)) if self.cutoff_hz < sample_rate / 2 else None
