"""Limiting: peaks held under a ceiling by a gain that sees them coming."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.level import from_db
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Uniform

_NO_REDUCTION = 1e-6
_AUDIBLE = 0.01


@DEGRADATIONS.register
class Limiter(Degradation):
    """``gain_db`` into a ceiling that no sample exceeds, without clipping and without delay.

    The gain is at its lowest over ``look_ahead_ms`` on both sides of a peak, and recovers
    exponentially. The ranges are ours: a broadcast limiter that is driven much too hard.
    """

    kind: ClassVar[str] = "limiter"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "gain_db": Uniform(low=6.0, high=24.0),
        "release_ms": Uniform(low=10.0, high=200.0),
    }

    gain_db: float = Field(ge=0.0, le=60.0)
    """Gain before the limiter."""
    ceiling_db: float = Field(default=-1.0, ge=-60.0, le=0.0)
    """Highest peak, in dBFS."""
    look_ahead_ms: float = Field(default=1.5, ge=0.0, le=50.0)
    """How long before a peak the gain begins to fall."""
    release_ms: float = Field(default=50.0, gt=0.0, le=5_000.0)
    """Until 63 % of a reduction are gone again."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Limit, and report the largest reduction and how often there was one."""
        loud = scene.degraded.scale(from_db(self.gain_db))
        reduction = self._reduction(loud)
        facts = {
            "applied": float(self.gain_db > 0.0 or bool(reduction.any())),
            "most_reduction_db": -20.0 * float(np.log10(1.0 - reduction.max())),
            "limited_fraction": float(np.mean(reduction > _AUDIBLE)),
        }
        return Scene(loud.with_samples(loud.samples * (1.0 - reduction)), scene.reference, facts)

    def _reduction(self, loud: Waveform) -> Samples:
        """Return by which share each sample is lowered: at least what its peak and its neighbours need."""
        from scipy.ndimage import maximum_filter1d, uniform_filter1d  # noqa: PLC0415 - 0.2 s

        ceiling = from_db(self.ceiling_db)
        needed = 1.0 - ceiling / np.maximum(np.abs(loud.samples, dtype=np.float64), ceiling)
        width = 2 * round(self.look_ahead_ms / 1_000.0 * loud.sample_rate) + 1
        held = self._release(maximum_filter1d(needed, width, mode="nearest"), loud.sample_rate)
        return np.asarray(uniform_filter1d(held, width, mode="nearest"))

    def _release(self, reduction: Samples, sample_rate: int) -> Samples:
        """Return the smallest curve above ``reduction`` that falls no faster than the release."""
        if not reduction.any():
            return reduction
        fade = np.arange(reduction.size) / (self.release_ms / 1_000.0 * sample_rate)
        logarithm = np.log(np.maximum(reduction, _NO_REDUCTION)) + fade
        held = np.exp(np.maximum.accumulate(logarithm) - fade)
        return np.where(held > 2.0 * _NO_REDUCTION, held, reduction)
