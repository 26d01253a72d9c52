"""Clipping: the loudest samples flattened, as by an overdriven converter."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from stages.audio.level import from_db, peak
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Uniform

_GainDb = Annotated[float, Field(gt=0.0, le=60.0)]


@DEGRADATIONS.register
class Clipping(Degradation):
    """Hard clipping: at a level, under the peak, of a share of the samples, or by a gain into full scale.

    The default is AATC 2025's: an absolute threshold, which may leave quiet speech as it is.
    """

    kind: ClassVar[str] = "clipping"
    version: ClassVar[int] = 2
    cost_s_per_s: ClassVar[float] = 0.001
    draws: ClassVar[Mapping[str, Distribution]] = {"threshold": Uniform(low=0.06, high=0.9)}

    threshold: float | None = Field(default=None, gt=0.0, le=1.0)
    """Highest absolute value that passes, whatever the level of the speech."""
    drive_db: float | None = Field(default=None, gt=0.0, le=60.0)
    """By how much the peak of the speech exceeds the ceiling, whatever its level (VoiceFixer: 0 to 20.8)."""
    clipped_fraction: float | None = Field(default=None, gt=0.0, lt=1.0)
    """Share of the samples that are flattened, on both sides at the same absolute value."""
    low_quantile: float | None = Field(default=None, ge=0.0, lt=0.5)
    """Share of the samples that are flattened from below; with ``high_quantile`` (URGENT: 0 to 0.1)."""
    high_quantile: float | None = Field(default=None, gt=0.5, le=1.0)
    """Share of the samples that are not flattened from above; with ``low_quantile`` (URGENT: 0.9 to 1)."""
    gain_db: _GainDb | None = None
    """Gain over a peak of 1, into a ceiling of 1 (SonicMaster: 2, 3 and 5 times: 6.02, 9.54, 13.98 dB)."""
    gains_db: tuple[_GainDb, ...] | None = Field(default=None, min_length=1)
    """Gains as ``gain_db``, of which the highest acts that the peak is over already, or else the lowest
    (SonicMaster's hidden clipping)."""

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        quantiles = self.low_quantile, self.high_quantile
        if (quantiles[0] is None) != (quantiles[1] is None):
            raise ValueError("set both low_quantile and high_quantile, or neither")
        gains = self.gain_db, self.gains_db
        measures = self.threshold, self.drive_db, self.clipped_fraction, quantiles[0], *gains
        if sum(measure is not None for measure in measures) != 1:
            raise ValueError(
                "set threshold, drive_db, clipped_fraction, both quantiles, gain_db or gains_db, and the "
                "others to null"
            )
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Flatten, and report where and how many samples, and by how much a peak of 1 was exceeded."""
        gain_db = self._gain_db(peak(scene.degraded.samples))
        speech = scene.degraded if gain_db is None else _drive(scene.degraded, gain_db)
        floor, ceiling = self._limits(speech.samples)
        share = float(np.mean((speech.samples > ceiling) | (speech.samples < floor)))
        facts = {
            "applied": float(share > 0.0),
            "threshold": max(-floor, ceiling),
            "clipped_fraction": share,
        } | ({} if gain_db is None else {"gain_db": gain_db})
        return Scene(speech.with_samples(np.clip(speech.samples, floor, ceiling)), scene.reference, facts)

    def _gain_db(self, loudest: float) -> float | None:
        """Return the gain over a peak of 1, if it is one that flattens."""
        if self.gains_db is None:
            return self.gain_db
        exceeded = [gain_db for gain_db in self.gains_db if loudest > from_db(gain_db)]
        return max(exceeded, default=min(self.gains_db))

    def _limits(self, samples: Samples) -> tuple[float, float]:
        if self.low_quantile is not None and self.high_quantile is not None:
            low, high = np.quantile(samples, [self.low_quantile, self.high_quantile])
            return float(low), float(high)
        ceiling = self._ceiling(samples)
        return -ceiling, ceiling

    def _ceiling(self, samples: Samples) -> float:
        if self.gain_db is not None or self.gains_db is not None:
            return 1.0
        if self.drive_db is not None:
            return peak(samples) / from_db(self.drive_db)
        if self.clipped_fraction is not None:
            return float(np.quantile(np.abs(samples), 1.0 - self.clipped_fraction))
        return float(np.float32(self.threshold))


def _drive(speech: Waveform, gain_db: float) -> Waveform:
    loudest = peak(speech.samples)
    return speech.scale(from_db(gain_db) / loudest) if loudest > 0.0 else speech
