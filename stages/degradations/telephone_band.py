"""The telephone's band: 300 to 3400 Hz."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from stages.degradations.band_pass import BandPass
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Constant, Distribution, OneOf, Uniform


@DEGRADATIONS.register
class TelephoneBand(BandPass):
    """The band of an analogue line (ITU-T G.712), or of wideband telephony with 50 and 7000 Hz.

    By default the edges differ as lines do, by about a tenth.
    """

    kind: ClassVar[str] = "telephone_band"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "low_hz": Uniform(low=270.0, high=330.0),
        "high_hz": Uniform(low=3_200.0, high=3_600.0),
        "family": OneOf(values=("butter", "cheby1", "ellip")),
        "order": Constant(value=6),
    }

    low_hz: float = Field(default=300.0, ge=5.0, le=100_000.0)
    """The lower edge of what is kept."""
    high_hz: float = Field(default=3_400.0, ge=20.0, le=100_000.0)
    """The upper edge of what is kept."""
    order: int = Field(default=6, ge=1, le=12)
    """Of the low-pass prototype: a band filter has twice as many poles."""
