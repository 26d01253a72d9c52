"""Bit depth: samples rounded to few steps, as an old sampler or a cheap converter does."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.waveform import AudioSource, Samples
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer
from stages.operators.rng import rng_for


@DEGRADATIONS.register
class BitDepth(Degradation):
    """Rounding to steps of 2 / 2^``bits`` of full scale, with or without triangular dither.

    Full scale itself stays: 1 is a step, so nothing clips. The default range is ours: 4 bits are
    barely understood, 12 bits are barely heard. Speech that lies on the steps already is left alone.
    """

    kind: ClassVar[str] = "bit_depth"
    draws: ClassVar[Mapping[str, Distribution]] = {"bits": Integer(low=4, high=12)}

    bits: int = Field(ge=1, le=24)
    """Full scale from −1 to 1 has 2^bits steps."""
    dither_seed: int | None = Field(default=None, ge=0)
    """Names the dither, of two steps from end to end; without it, quiet parts crackle and vanish."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Round, and report whether that changed anything."""
        speech, steps = scene.degraded, np.float32(2.0 ** (self.bits - 1))
        rounded = np.rint(speech.samples * steps + self._dither(speech.samples.size)) / steps
        facts = {"applied": float(not np.array_equal(rounded, speech.samples))}
        return Scene(speech.with_samples(rounded), scene.reference, facts)

    def _dither(self, length: int) -> Samples:
        """Return the sum of two uniform numbers per sample (Lipshitz, Wannamaker and Vanderkooy 1992)."""
        if self.dither_seed is None:
            return np.zeros(1, np.float32)
        rng = rng_for(self.dither_seed, self.kind)
        return rng.random(length, np.float32) - rng.random(length, np.float32)
