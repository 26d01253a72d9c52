"""Hiss: the noise of the electronics, from converters and preamplifiers."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from stages.audio.audible import audible_ratio_db, audible_rms
from stages.audio.level import from_db, peak
from stages.audio.waveform import AudioSource, Samples
from stages.dsp.mixing import Snr, SnrDefinition, mix
from stages.dsp.noise import NOISE_LOWEST_HZ, NoiseGains, draw_shaped_noise
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Constant, Distribution, Integer, Uniform
from stages.operators.rng import rng_for


@DEGRADATIONS.register
class Hiss(Degradation):
    """Stationary noise, white above ``flicker_corner_hz`` and 1/f below: thermal and flicker noise.

    The default level is −65 to −35 dBFS (RMS): between a good and a poor recorder. The range is ours.
    """

    kind: ClassVar[str] = "hiss"
    version: ClassVar[int] = 4
    draws: ClassVar[Mapping[str, Distribution]] = {
        "level_dbfs": Uniform(low=-65.0, high=-35.0),
        "snr_db": Constant(value=None),
        "flicker_corner_hz": Uniform(low=0.0, high=1_000.0),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    level_dbfs: float | None = Field(default=None, ge=-120.0, le=0.0)
    """RMS of what can be heard of it, whatever the speech is; or set ``snr_db``."""
    snr_db: float | None = Field(default=None, ge=-60.0, le=100.0)
    """Level of the speech over that of the hiss; or set ``level_dbfs``."""
    snr_definition: SnrDefinition = "rms_active"
    """As for noise; without ``snr_db`` it has no meaning."""
    flicker_corner_hz: float = Field(default=100.0, ge=0.0, le=20_000.0)
    """Where thermal noise and flicker noise are as strong as each other."""
    seed: int = Field(ge=0)
    """Names the noise: the same seed gives the same noise."""

    @model_validator(mode="after")
    def _has_one_level(self) -> Self:
        if (self.level_dbfs is None) == (self.snr_db is None):
            raise ValueError("set level_dbfs or snr_db, and the other one to null")
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Add the hiss, and report its level and peak. Silence has no SNR, but it has a hiss."""
        speech = scene.degraded
        rng = rng_for(self.seed, self.kind)
        noise = draw_shaped_noise(rng, speech.samples.size, speech.sample_rate, self._gains)
        if self.snr_db is not None:
            mixture = mix(speech, noise, Snr(self.snr_db, self.snr_definition))
            return Scene(mixture.waveform, scene.reference, mixture.facts)
        return self._at_level(scene, noise, self.level_dbfs or 0.0)

    def _gains(self, hertz: NoiseGains) -> NoiseGains:
        return np.sqrt(1.0 + np.float32(self.flicker_corner_hz) / np.maximum(hertz, NOISE_LOWEST_HZ))

    def _at_level(self, scene: Scene, noise: Samples, level_dbfs: float) -> Scene:
        speech = scene.degraded
        added = noise * np.float32(from_db(level_dbfs) / max(audible_rms(noise, speech.sample_rate), 1e-12))
        snr_db = audible_ratio_db(speech.samples, added, speech.sample_rate)
        facts = {"noise_peak": peak(added), "snr_db": snr_db}
        return Scene(speech.with_samples(speech.samples + added), scene.reference, facts)
