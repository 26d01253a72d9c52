"""Soft clipping: the saturation of tubes, tape and transformers."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from stages.audio.level import from_db, peak
from stages.audio.waveform import AudioSource, Samples
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, OneOf, Uniform

ClippingCurve = Literal["tanh", "cubic"]


@DEGRADATIONS.register
class SoftClipping(Degradation):
    """A curve that leaves quiet samples as they are and bends loud ones towards a ceiling.

    The ceiling is absolute, or lies ``drive_db`` under the peak of the speech or under a share of its
    samples, so that quiet speech is bent as loud speech is. The default range is ours, from warm to broken.
    """

    kind: ClassVar[str] = "soft_clipping"
    version: ClassVar[int] = 2
    draws: ClassVar[Mapping[str, Distribution]] = {
        "curve": OneOf(values=("tanh", "cubic")),
        "drive_db": Uniform(low=0.0, high=24.0),
    }

    curve: ClippingCurve = "tanh"
    """``cubic`` reaches its ceiling, at 1.5 times the ceiling; ``tanh`` never quite does."""
    ceiling: float | None = Field(default=None, gt=0.0, le=1.0)
    """What no sample exceeds."""
    drive_db: float | None = Field(default=None, ge=-20.0, le=60.0)
    """By how much the peak of the speech exceeds the ceiling."""
    clipped_fraction: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Share of the samples that lie beyond the ceiling before they are bent."""

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        measures = self.ceiling, self.drive_db, self.clipped_fraction
        if sum(measure is not None for measure in measures) != 1:
            raise ValueError("set ceiling, drive_db or clipped_fraction, and the others to null")
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Bend, and report the ceiling and the share of samples that were beyond it."""
        samples = scene.degraded.samples
        ceiling = self._ceiling(samples)
        if ceiling == 0.0:
            return Scene(scene.degraded, scene.reference, {"applied": 0.0})
        bent = np.float32(ceiling) * CURVES[self.curve](samples / np.float32(ceiling))
        facts = {
            "applied": float(not np.array_equal(bent, samples)),
            "ceiling": ceiling,
            "clipped_fraction": float(np.mean(np.abs(samples) > ceiling)),
        }
        return Scene(scene.degraded.with_samples(bent), scene.reference, facts)

    def _ceiling(self, samples: Samples) -> float:
        if self.ceiling is not None:
            return self.ceiling
        if self.clipped_fraction is not None:
            return float(np.quantile(np.abs(samples), 1.0 - self.clipped_fraction))
        return peak(samples) / from_db(self.drive_db or 0.0)


def _apply_cubic(samples: Samples) -> Samples:
    """Return x − 4x³/27 up to x = 1.5, where it reaches 1 without a slope."""
    inside = np.clip(samples, -1.5, 1.5)
    return np.asarray(inside - np.float32(4.0 / 27.0) * inside * inside * inside)


CURVES: Mapping[ClippingCurve, Callable[[Samples], Samples]] = {"tanh": np.tanh, "cubic": _apply_cubic}
