"""Coloured noise: stationary noise whose spectrum is a straight line."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stages.audio.waveform import AudioSource, Waveform
from stages.degradations.common.added_sound import AddedSound, Sound
from stages.dsp.noise import draw_shaped_noise, slope_gains
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer, Uniform
from stages.operators.rng import rng_for

Colour = Literal["white", "pink", "brown", "blue", "violet"]
SLOPES_DB_PER_OCTAVE: Mapping[Colour, float] = {
    "white": 0.0,
    "pink": -3.0103,
    "brown": -6.0206,
    "blue": 3.0103,
    "violet": 6.0206,
}


@DEGRADATIONS.register
class ColouredNoise(AddedSound):
    """Gaussian noise whose power density rises or falls by ``slope_db_per_octave`` above 20 Hz.

    The default range reaches from brown to blue, as audiomentations' AddColorNoise; the SNR is AATC 2025's.
    """

    kind: ClassVar[str] = "coloured_noise"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "slope_db_per_octave": Uniform(low=-6.0, high=3.0),
        "seed": Integer(low=0, high=2**31 - 1),
        "snr_db": Uniform(low=-5.0, high=20.0),
    }

    slope_db_per_octave: Annotated[float, Field(ge=-12.0, le=12.0)] | Colour
    """A number, or a colour: white 0, pink −3, brown −6, blue 3, violet 6."""
    seed: int = Field(ge=0)
    """Names the noise: the same seed gives the same noise."""

    def sound_for(self, speech: Waveform, sources: AudioSource) -> Sound:  # noqa: ARG002
        """Return the noise, and its slope in numbers."""
        named = self.slope_db_per_octave
        slope = SLOPES_DB_PER_OCTAVE[named] if isinstance(named, str) else named
        rng = rng_for(self.seed, self.kind)
        noise = draw_shaped_noise(rng, speech.samples.size, speech.sample_rate, slope_gains(slope))
        return noise, {"slope_db_per_octave": slope}
