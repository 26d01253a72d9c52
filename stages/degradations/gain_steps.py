"""Gain steps: somebody turns the knob, or another microphone takes over."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from stages.audio.waveform import AudioSource, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, Uniform
from stages.operators.rng import rng_for

_Curve = NDArray[np.float64]


@DEGRADATIONS.register
class GainSteps(Degradation):
    """A gain that jumps to another value now and then; it begins at 0 dB.

    The ranges are ours; audiomentations' GainTransition has −24 to 6 dB.
    """

    kind: ClassVar[str] = "gain_steps"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "rate_per_s": Uniform(low=0.2, high=1.5),
        "seed": Integer(low=0, high=2**31 - 1),
        "ramp_ms": Uniform(low=1.0, high=200.0),
    }

    rate_per_s: float | None = Field(default=None, gt=0.0, le=100.0)
    """Steps per second on average (Poisson), at least one; or set ``times_s`` and ``gains_db``."""
    lowest_db: float = Field(default=-18.0, ge=-100.0, le=60.0)
    highest_db: float = Field(default=6.0, ge=-100.0, le=60.0)
    seed: int = Field(default=0, ge=0)
    """Decides when random steps are, and to which gain."""
    times_s: tuple[Annotated[float, Field(ge=0.0)], ...] | None = None
    """When the gain changes, in order; or set ``rate_per_s``."""
    gains_db: tuple[Annotated[float, Field(ge=-100.0, le=60.0)], ...] | None = None
    """To what the gain changes at ``times_s``."""
    ramp_ms: float = Field(default=5.0, ge=0.0, le=5_000.0)
    """How long a change takes."""

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        if (self.rate_per_s is None) == (self.times_s is None):
            raise ValueError("set rate_per_s or times_s, and the other one to null")
        if len(self.times_s or ()) != len(self.gains_db or ()):
            raise ValueError("times_s and gains_db must be as long as each other")
        if list(self.times_s or ()) != sorted(self.times_s or ()):
            raise ValueError("times_s must be in order")
        if self.highest_db < self.lowest_db:
            raise ValueError(f"highest_db {self.highest_db:g} is below lowest_db {self.lowest_db:g}")
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Step, and report how many steps there are and how far the gain goes."""
        speech = scene.degraded
        times_s, gains_db = self._steps(speech.duration_s)
        curve_db = self._curve_db(times_s, gains_db, speech)
        gains = (10.0 ** (curve_db / 20.0)).astype(np.float32)
        facts = {
            "applied": float(bool(np.any(gains != 1.0))),
            "steps": float(times_s.size),
            "lowest_gain_db": float(curve_db.min()),
            "highest_gain_db": float(curve_db.max()),
        }
        return Scene(speech.with_samples(speech.samples * gains), scene.reference, facts)

    def _steps(self, duration_s: float) -> tuple[_Curve, _Curve]:
        if self.times_s is not None:
            times_s, gains_db = np.array(self.times_s), np.array(self.gains_db or (), np.float64)
            return times_s[times_s < duration_s], gains_db[times_s < duration_s]
        rng = rng_for(self.seed, self.kind)
        count = max(1, int(rng.poisson((self.rate_per_s or 0.0) * duration_s)))
        times_s = np.sort(rng.uniform(0.0, duration_s, count))
        return times_s, rng.uniform(self.lowest_db, self.highest_db, count)

    def _curve_db(self, times_s: _Curve, gains_db: _Curve, speech: Waveform) -> _Curve:
        """Return the gain at each sample; a step that comes before the last ramp is over cuts that short."""
        ends_s = np.minimum(times_s + self.ramp_ms / 1_000.0, np.r_[times_s[1:], np.inf][: times_s.size])
        levels = np.r_[0.0, gains_db]
        knots_s = np.ravel(np.column_stack([times_s, ends_s]))
        knots_db = np.ravel(np.column_stack([levels[:-1], levels[1:]]))
        t = np.arange(speech.samples.size) / speech.sample_rate
        return np.interp(t, knots_s, knots_db) if knots_s.size else np.zeros(t.size)
