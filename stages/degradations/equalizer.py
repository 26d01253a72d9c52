"""An equalizer: many bands, each a little louder or quieter."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from stages.degradations.common.spectral import SpectralDegradation
from stages.dsp.filters import design_bell
from stages.dsp.spectral_gain import Gains, Hertz, magnitude_of
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer
from stages.operators.rng import rng_for

_GainDb = Annotated[float, Field(ge=-40.0, le=40.0)]


@DEGRADATIONS.register
class Equalizer(SpectralDegradation):
    """Bells at frequencies that are evenly spaced in octaves.

    The default is SonicMaster's "xband": 8 to 12 bands from 40 Hz to 16 kHz, whole gains of −6 to 6 dB.
    """

    kind: ClassVar[str] = "equalizer"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "num_bands": Integer(low=8, high=12),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    num_bands: int | None = Field(default=None, ge=1, le=64)
    """How many bands have a random gain; or set ``gains_db``."""
    most_gain_db: int = Field(default=6, ge=1, le=40)
    """Random gains are whole numbers between this and its negative."""
    seed: int = Field(default=0, ge=0)
    """Decides the random gains."""
    gains_db: tuple[_GainDb, ...] | None = Field(default=None, min_length=1, max_length=64)
    """The gain of each band, from low to high; or set ``num_bands``."""
    low_hz: float = Field(default=40.0, ge=10.0, le=100_000.0)
    """Centre of the lowest band."""
    high_hz: float = Field(default=16_000.0, ge=10.0, le=100_000.0)
    """Centre of the highest band; bands beyond half the rate are left out."""
    q: float = Field(default=1.0, ge=0.1, le=20.0)
    """Centre frequency over bandwidth."""

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        if (self.num_bands is None) == (self.gains_db is None):
            raise ValueError("set num_bands or gains_db, and the other one to null")
        if len(self._gains_db()) > 1 and self.low_hz >= self.high_hz:
            raise ValueError(f"low_hz {self.low_hz:g} is not below high_hz {self.high_hz:g}")
        return self

    def acts_at(self, sample_rate: int) -> bool:
        """Whether any band below half of ``sample_rate`` has a gain."""
        return any(gain_db != 0.0 for gain_db in self._bands(sample_rate).values())

    def gains(self, hertz: Hertz, sample_rate: int) -> Gains:
        """Return the product of all bells."""
        bells = [
            design_bell(centre, gain, self.q, sample_rate)
            for centre, gain in self._bands(sample_rate).items()
        ]
        return magnitude_of(np.concatenate(bells), hertz, sample_rate)

    def facts_at(self, sample_rate: int) -> dict[str, float]:
        """Return the gain of each band."""
        bands = self._bands(sample_rate)
        return {f"band_{round(centre)}_hz_db": gain_db for centre, gain_db in bands.items()}

    def _bands(self, sample_rate: int) -> dict[float, float]:
        gains_db = self._gains_db()
        centres = np.geomspace(self.low_hz, self.high_hz, len(gains_db)).tolist()
        bands = zip(centres, gains_db, strict=True)
        return {centre: gain_db for centre, gain_db in bands if centre < sample_rate / 2}

    def _gains_db(self) -> list[float]:
        if self.gains_db is not None:
            return list(self.gains_db)
        rng, most = rng_for(self.seed, self.kind), self.most_gain_db
        return [float(gain) for gain in rng.integers(-most, most, self.num_bands, endpoint=True)]
