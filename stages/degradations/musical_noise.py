"""Musical noise: the tonal speckles that spectral subtraction leaves of noise."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from schemas import Reason, UnfitError
from stages.audio.audible import audible_rms, is_inaudible
from stages.audio.level import from_db
from stages.audio.waveform import AudioSource
from stages.dsp.short_time import ShortTime
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, OneOf, Uniform
from stages.operators.rng import rng_for


@DEGRADATIONS.register
class MusicalNoise(Degradation):
    """White noise added and taken away again by power subtraction (Berouti, Schwartz and Makhoul 1979).

    The power of noise in a bin is distributed exponentially, so ``exp(−oversubtraction)`` of the bins rise
    over what is subtracted and stay as short tones of random pitch; soft parts of the speech go with the
    noise. SNRs are URGENT's; over-subtraction and floor are the paper's range. Silent speech is unfit.
    """

    kind: ClassVar[str] = "musical_noise"
    version: ClassVar[int] = 2
    draws: ClassVar[Mapping[str, Distribution]] = {
        "snr_db": Uniform(low=-5.0, high=20.0),
        "oversubtraction": Uniform(low=1.0, high=6.0),
        "floor_db": Uniform(low=-46.0, high=-20.0),
        "frame_ms": OneOf(values=(16, 32, 64)),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    snr_db: float = Field(ge=-20.0, le=60.0)
    """Of the noise before it is subtracted, over all samples."""
    oversubtraction: float = Field(ge=0.5, le=10.0)
    """How many times the power of the noise is subtracted: more leaves fewer speckles and less speech."""
    floor_db: float = Field(default=-40.0, ge=-100.0, le=0.0)
    """The gain of bins that hold less than what is subtracted; high enough, it masks the speckles."""
    frame_ms: float = Field(default=32.0, ge=4.0, le=256.0)
    """How long a speckle lasts."""
    seed: int = Field(ge=0)
    """Names the noise."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Add noise and subtract it, and report the share of bins that were left over the floor."""
        speech = scene.degraded
        if is_inaudible(speech.samples, speech.sample_rate):
            raise UnfitError(Reason.SILENT, "the speech is silent, so no SNR is defined")
        noise_rms = audible_rms(speech.samples, speech.sample_rate) / from_db(self.snr_db)
        noise = rng_for(self.seed, self.kind).standard_normal(speech.samples.size, dtype=np.float32)
        short_time = ShortTime.of(self.frame_ms, speech.sample_rate)
        spectra = short_time.spectra(speech.samples + np.float32(noise_rms) * noise)
        power = np.square(np.abs(spectra))
        subtracted = np.float32(self.oversubtraction * noise_rms**2 * short_time.noise_power)
        left = 1.0 - subtracted / np.maximum(power, np.finfo(np.float32).tiny)
        gains = np.sqrt(np.maximum(left, np.float32(from_db(self.floor_db) ** 2)))
        samples = short_time.samples(spectra * gains, speech.samples.size)
        facts = {"left_fraction": float(np.mean(left > from_db(self.floor_db) ** 2))}
        return Scene(speech.with_samples(samples), scene.reference, facts)
