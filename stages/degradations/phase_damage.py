"""Damaged phase: the smear and roughness that processing leaves when it changes spectra bin by bin."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.waveform import AudioSource, Waveform
from stages.dsp.short_time import ShortTime
from stages.operators.degradation import DEGRADATIONS, Degradation
from stages.operators.distributions import Distribution, Integer, OneOf, Uniform
from stages.operators.rng import rng_for


@DEGRADATIONS.register
class PhaseDamage(Degradation):
    """Every bin of a short-time spectrum turned by a random angle, normally distributed around none.

    Angles have no mean, so nothing is delayed and polarity is kept; of the speech ``exp(−spread²)`` of the
    power stays where it was, and the rest becomes noise that follows it. No published recipe has it: ranges
    are chosen so that from next to nothing to three quarters of the power is smeared.
    """

    kind: ClassVar[str] = "phase_damage"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "spread_rad": Uniform(low=0.2, high=1.2),
        "frame_ms": OneOf(values=(16, 32, 64)),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    spread_rad: float = Field(gt=0.0, le=1.5)
    """Standard deviation of the angles; beyond 1.5 rad nobody can say where the speech is."""
    frame_ms: float = Field(default=32.0, ge=4.0, le=256.0)
    """How far the smear reaches."""
    seed: int = Field(ge=0)
    """Names the angles."""

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:  # noqa: ARG002
        """Return ``speech`` with its phases shaken."""
        short_time = ShortTime.of(self.frame_ms, speech.sample_rate)
        spectra = short_time.spectra(speech.samples)
        rng = rng_for(self.seed, self.kind)
        angles = self.spread_rad * rng.standard_normal(spectra.shape, dtype=np.float32)
        turned = spectra * np.exp(np.complex64(1j) * angles)
        return speech.with_samples(short_time.samples(turned, speech.samples.size))
