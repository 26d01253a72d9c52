"""Band-pass: only a band of frequencies is left."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from stages.degradations.common.band_filter import BandFilter
from stages.dsp.filters import Band
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer, Uniform


@DEGRADATIONS.register
class BandPass(BandFilter):
    """A band-pass of one of six families; a high-pass where the upper edge is beyond half the rate.

    The default is Resemble-Enhance's: a band that begins at 100 to 1000 Hz and is 2 to 4 kHz wide.
    SonicMaster's "mud" is 200 to 500 Hz, cheby2, order 2, attenuation 6 to 15 dB.
    """

    kind: ClassVar[str] = "band_pass"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "low_hz": Uniform(low=100.0, high=1_000.0),
        "high_hz": Uniform(low=3_000.0, high=4_000.0),
        "order": Integer(low=2, high=6),
    }

    low_hz: float = Field(ge=5.0, le=100_000.0)
    """The lower edge of what is kept."""
    high_hz: float = Field(ge=20.0, le=100_000.0)
    """The upper edge of what is kept."""
    order: int = Field(default=4, ge=1, le=12)
    """Of the low-pass prototype: a band filter has twice as many poles."""

    @model_validator(mode="after")
    def _edges_are_in_order(self) -> Self:
        if self.low_hz >= self.high_hz:
            raise ValueError(f"low_hz {self.low_hz:g} is not below high_hz {self.high_hz:g}")
        return self

    def band_at(self, sample_rate: int) -> tuple[Band, tuple[float, ...]] | None:
        """Return the filter, unless nothing would be left above its lower edge."""
        if self.low_hz >= sample_rate / 2:
            return None
        if self.high_hz >= sample_rate / 2:
            return "highpass", (self.low_hz,)
        return "bandpass", (self.low_hz, self.high_hz)
