"""Noise: a stretch of another recording, mixed in at a chosen SNR."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from schemas import AudioRef
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations.common.added_sound import AddedSound, Sound
from stages.dsp.mixing import stretch_of
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, FromPool, Uniform


@DEGRADATIONS.register
class Noise(AddedSound):
    """A stretch of ``noise`` under the speech, looped without a click if it is too short.

    The default SNR, −5 to 20 dB, is URGENT's, AATC 2025's and Sidon's.
    Raises ``UnfitError`` if the speech or the stretch of noise is silent: no SNR is defined then.
    """

    kind: ClassVar[str] = "noise"
    cost_s_per_s: ClassVar[float] = 0.003
    draws: ClassVar[Mapping[str, Distribution]] = {
        "noise": FromPool(pool="noise"),
        "offset_fraction": Uniform(low=0.0, high=1.0),
        "snr_db": Uniform(low=-5.0, high=20.0),
    }

    noise: AudioRef
    offset_fraction: float = Field(ge=0.0, lt=1.0)
    """Where the stretch starts, as a fraction of the places where it can."""

    def sound_for(self, speech: Waveform, sources: AudioSource) -> Sound:
        """Return the stretch, and where it starts."""
        noise = sources.read(self.noise, speech.sample_rate)
        stretch, start = stretch_of(
            noise.samples, self.offset_fraction, speech.samples.size, speech.sample_rate
        )
        return stretch, {"start_sample": float(start)}
