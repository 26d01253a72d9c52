"""A Griffin-Lim round trip: speech made again from its magnitudes, by a vocoder that guesses the phase."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.level import rms
from stages.audio.waveform import AudioSource, Samples
from stages.dsp.short_time import ShortTime, Spectra
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, OneOf, Uniform
from stages.operators.rng import rng_for

SMALLEST = np.float32(1e-12)


@DEGRADATIONS.register
class GriffinLim(Degradation):
    """Magnitudes are kept, phases are guessed, and both are made to agree (Griffin and Lim 1984).

    The guess is the true phase, off by up to ``phase_error_rad``: from nowhere at all the speech would come
    back with a time and a polarity of its own in every band, and nobody could say how late it is. Should it
    come back upside down, it is turned round (fact ``turned_round``). No published recipe has it.
    """

    kind: ClassVar[str] = "griffin_lim"
    version: ClassVar[int] = 2
    draws: ClassVar[Mapping[str, Distribution]] = {
        "iterations": Integer(low=4, high=32),
        "phase_error_rad": Uniform(low=1.0, high=2.2),
        "frame_ms": OneOf(values=(16, 32, 64)),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    iterations: int = Field(ge=1, le=200)
    """How often spectra and samples are made to agree; the paper's figures level off after some 30."""
    phase_error_rad: float = Field(gt=0.0, le=2.5)
    """The largest error of the first guess; all errors up to it are as likely."""
    frame_ms: float = Field(default=32.0, ge=4.0, le=256.0)
    """Length of a frame; a quarter of it is the hop."""
    seed: int = Field(ge=0)
    """Names the first guess."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Make the speech again; report how well spectra and samples agree, and whether it was turned round.

        ``inconsistency`` is what Griffin and Lim minimise: the share of the magnitudes that no samples have.
        """
        speech = scene.degraded
        short_time = ShortTime.of(self.frame_ms, speech.sample_rate)
        true = short_time.spectra(speech.samples)
        wanted = np.abs(true)
        made = self._reconstruct(short_time, true, speech.samples.size)
        upside_down = float(np.einsum("i,i->", made, speech.samples, dtype=np.float64)) < 0.0
        missed = np.abs(short_time.spectra(made)) - wanted
        facts = {
            "turned_round": float(upside_down),
            "inconsistency": rms(missed) / max(rms(wanted), 1e-12),
        }
        return Scene(speech.with_samples(-made if upside_down else made), scene.reference, facts)

    def _reconstruct(self, short_time: ShortTime, true: Spectra, length: int) -> Samples:
        rng = rng_for(self.seed, self.kind)
        errors = self.phase_error_rad * (2.0 * rng.random(true.shape, dtype=np.float32) - 1.0)
        spectra, wanted = true * np.exp(np.complex64(1j) * errors), np.abs(true)
        for _ in range(self.iterations):
            found = short_time.spectra(short_time.samples(spectra, length))
            spectra = wanted * (found / np.maximum(np.abs(found), SMALLEST))
        return short_time.samples(spectra, length)
