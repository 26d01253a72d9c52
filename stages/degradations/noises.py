"""Several noises at once, as a street or a kitchen has."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from schemas import AudioRef, Reason, UnfitError
from stages.audio.audible import audible_rms, is_inaudible
from stages.audio.level import from_db
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations.common.added_sound import AddedSound, Sound
from stages.dsp.mixing import stretch_of
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer, SeveralFromPool, Uniform
from stages.operators.rng import rng_for

_MOST = 4


@DEGRADATIONS.register
class Noises(AddedSound):
    """Up to four noises whose sum stands at one SNR; FlowSE and GSEPF use two in a quarter of cases.

    The levels are RMS of what can be heard; ±5 dB between them is ours, the SNR is URGENT's. Raises
    ``UnfitError`` if one of the stretches is silent.
    """

    kind: ClassVar[str] = "noises"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "noises": SeveralFromPool(pool="noise", low=2, high=2),
        "seed": Integer(low=0, high=2**31 - 1),
        "snr_db": Uniform(low=-5.0, high=20.0),
    }

    noises: tuple[AudioRef, ...] = Field(min_length=1, max_length=_MOST)
    seed: int = Field(ge=0)
    """Decides where the stretches start and, unless ``levels_db`` is set, how loud each is."""
    level_spread_db: float = Field(default=5.0, ge=0.0, le=30.0)
    """By how much each may be louder or quieter than the middle."""
    levels_db: tuple[Annotated[float, Field(ge=-60.0, le=60.0)], ...] | None = None
    """Level of each noise against the others, if it is not to be drawn from ``seed``."""

    @model_validator(mode="after")
    def _each_noise_has_a_level(self) -> Self:
        if self.levels_db is not None and len(self.levels_db) != len(self.noises):
            raise ValueError(f"{len(self.noises)} noises have {len(self.levels_db)} levels")
        return self

    def sound_for(self, speech: Waveform, sources: AudioSource) -> Sound:
        """Return the sum, and where each stretch starts and at which level."""
        rng = rng_for(self.seed, self.kind)
        offsets = rng.uniform(size=_MOST)
        drawn = rng.uniform(-self.level_spread_db, self.level_spread_db, _MOST)
        levels = drawn if self.levels_db is None else self.levels_db
        total, facts = np.zeros_like(speech.samples), dict[str, float]()
        for place, (ref, offset, level_db) in enumerate(zip(self.noises, offsets, levels, strict=False), 1):
            noise = sources.read(ref, speech.sample_rate).samples
            stretch, start = stretch_of(noise, offset, total.size, speech.sample_rate)
            if is_inaudible(stretch, speech.sample_rate):
                raise UnfitError(Reason.SILENT, f"the stretch of noise {place} is silent, so it has no level")
            level = audible_rms(stretch, speech.sample_rate)
            total += stretch * np.float32(from_db(level_db) / level)
            facts |= {f"start_{place}_sample": float(start), f"level_{place}_db": float(level_db)}
        return total, facts
