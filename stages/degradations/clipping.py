"""Clipping: the loudest samples flattened, as by an overdriven converter."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from stages.degradations.base import DEGRADATIONS, Degradation, Scene
from stages.distributions import Distribution, Uniform
from stages.waveform import AudioSource, Waveform


@DEGRADATIONS.register
class Clipping(Degradation):
    """Hard clipping at ``threshold``, or at the level that flattens ``clipped_fraction`` of the samples.

    The default is AATC 2025's: an absolute threshold, which may leave quiet speech as it is.
    """

    kind: ClassVar[str] = "clipping"
    draws: ClassVar[Mapping[str, Distribution]] = {"threshold": Uniform(low=0.06, high=0.9)}

    threshold: float | None = Field(default=None, gt=0.0, le=1.0)
    clipped_fraction: float | None = Field(default=None, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        if (self.threshold is None) == (self.clipped_fraction is None):
            raise ValueError("set threshold or clipped_fraction, and the other one to null")
        return self

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:
        """Flatten every sample beyond the ceiling."""
        return self.damage(Scene(speech, speech), sources).degraded

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Flatten, and report where and how many samples."""
        samples = scene.degraded.samples
        ceiling = self._ceiling(np.abs(samples))
        facts = {"threshold": ceiling, "clipped_fraction": float(np.mean(np.abs(samples) > ceiling))}
        return Scene(scene.degraded.with_samples(np.clip(samples, -ceiling, ceiling)), scene.reference, facts)

    def _ceiling(self, sizes: np.ndarray) -> float:
        if self.clipped_fraction is None:
            return float(np.float32(self.threshold))
        return float(np.quantile(sizes, 1.0 - self.clipped_fraction))
