"""Band-stop: a band of frequencies is missing."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from stages.degradations.common.band_filter import BandFilter, Family
from stages.dsp.filters import Band
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Uniform


@DEGRADATIONS.register
class BandStop(BandFilter):
    """A band-stop of one of six families; a low-pass where the upper edge is beyond half the rate.

    The default is SonicMaster's "vocal", which takes 6 to 20 dB from 350 to 3500 Hz by a cheby2 filter
    of order 2. In the published code its result is never used; here it is.
    """

    kind: ClassVar[str] = "band_stop"
    draws: ClassVar[Mapping[str, Distribution]] = {"stop_attenuation_db": Uniform(low=6.0, high=20.0)}

    low_hz: float = Field(default=350.0, ge=5.0, le=100_000.0)
    """The lower edge of what is taken."""
    high_hz: float = Field(default=3_500.0, ge=20.0, le=100_000.0)
    """The upper edge of what is taken."""
    family: Family = "cheby2"
    order: int = Field(default=2, ge=1, le=12)
    """Of the low-pass prototype: a band filter has twice as many poles."""

    @model_validator(mode="after")
    def _edges_are_in_order(self) -> Self:
        if self.low_hz >= self.high_hz:
            raise ValueError(f"low_hz {self.low_hz:g} is not below high_hz {self.high_hz:g}")
        return self

    def band_at(self, sample_rate: int) -> tuple[Band, tuple[float, ...]] | None:
        """Return the filter, unless there is nothing above its lower edge."""
        if self.low_hz >= sample_rate / 2:
            return None
        if self.high_hz >= sample_rate / 2:
            return "lowpass", (self.low_hz,)
        return "bandstop", (self.low_hz, self.high_hz)
