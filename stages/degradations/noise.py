"""Noise: a stretch of another recording, mixed in at a chosen SNR."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from schemas import AudioRef, Reason, UnfitError
from stages.degradations.base import DEGRADATIONS, Degradation, Scene
from stages.distributions import Distribution, FromPool, Uniform
from stages.level import from_db, is_silent, peak, to_db
from stages.mixing import SnrDefinition, level_of, measured_snr_db, stretch_of
from stages.waveform import AudioSource, Waveform


@DEGRADATIONS.register
class Noise(Degradation):
    """A stretch of ``noise`` under the speech, looped without a click if it is too short.

    Raises ``UnfitError`` if the speech or the stretch of noise is silent: no SNR is defined then.
    """

    kind: ClassVar[str] = "noise"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "noise": FromPool(pool="noise"),
        "offset_fraction": Uniform(low=0.0, high=1.0),
        "snr_db": Uniform(low=-5.0, high=20.0),
    }

    noise: AudioRef
    offset_fraction: float = Field(ge=0.0, lt=1.0)
    """Where the stretch starts, as a fraction of the places where it can."""
    snr_db: float = Field(ge=-60.0, le=100.0)
    snr_definition: SnrDefinition = "rms_active"
    """Over all samples, or over the frames that are not silent, of the speech and of the noise."""

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:
        """Mix so that the level of speech over noise is ``snr_db``."""
        return self.damage(Scene(speech, speech), sources).degraded

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Mix, and report the stretch, its gain and peak, and the SNR that was reached."""
        speech = scene.degraded
        noise = sources.read(self.noise, speech.sample_rate)
        stretch, start = stretch_of(
            noise.samples, self.offset_fraction, speech.samples.size, speech.sample_rate
        )
        for name, samples in (("speech", speech.samples), ("stretch of noise", stretch)):
            if is_silent(samples):
                raise UnfitError(Reason.SILENT, f"the {name} is silent, so no SNR is defined")
        levels = level_of(speech.samples, self.snr_definition), level_of(stretch, self.snr_definition)
        gain = levels[0] / levels[1] / from_db(self.snr_db)
        added = stretch * np.float32(gain)
        facts = {
            "start_sample": float(start),
            "noise_gain_db": to_db(gain),
            "noise_peak": peak(added),
            "snr_db": measured_snr_db(speech.samples, added, self.snr_definition),
        }
        return Scene(speech.with_samples(speech.samples + added), scene.reference, facts)
