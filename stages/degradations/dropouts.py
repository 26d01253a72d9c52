"""Drop-outs: moments in which nothing arrives, as from a wireless microphone or a worn tape."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, Uniform
from stages.operators.rng import rng_for

Gap = tuple[float, float]


@DEGRADATIONS.register
class Dropouts(Degradation):
    """Gaps of silence, at stated places or at random ones.

    The default lengths are Sidon's, 20 to 200 ms, and the rate is about its: three gaps in ten
    seconds. A gap may begin anywhere, so short speech may be spared; the fact ``applied`` is 0 then.
    """

    kind: ClassVar[str] = "dropouts"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "rate_per_s": Uniform(low=0.3, high=2.0),
        "seed": Integer(low=0, high=2**31 - 1),
    }

    rate_per_s: float | None = Field(default=None, gt=0.0, le=100.0)
    """Gaps per second on average (Poisson); or set ``starts_s`` and ``lengths_ms``."""
    shortest_ms: float = Field(default=20.0, gt=0.0, le=10_000.0)
    longest_ms: float = Field(default=200.0, gt=0.0, le=10_000.0)
    seed: int = Field(default=0, ge=0)
    """Decides where random gaps are, and how long."""
    starts_s: tuple[Annotated[float, Field(ge=0.0)], ...] | None = None
    """Where gaps begin; or set ``rate_per_s``."""
    lengths_ms: tuple[Annotated[float, Field(gt=0.0, le=10_000.0)], ...] | None = None
    """How long the gaps at ``starts_s`` are."""
    fade_ms: float = Field(default=0.0, ge=0.0, le=100.0)
    """Over which the sound goes before a gap and comes back after it; 0 leaves clicks."""

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        if (self.rate_per_s is None) == (self.starts_s is None):
            raise ValueError("set rate_per_s or starts_s, and the other one to null")
        if len(self.starts_s or ()) != len(self.lengths_ms or ()):
            raise ValueError("starts_s and lengths_ms must be as long as each other")
        if self.longest_ms < self.shortest_ms:
            raise ValueError(f"longest_ms {self.longest_ms:g} is below shortest_ms {self.shortest_ms:g}")
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Drop, and report how many gaps there are and what share of the time they take."""
        speech = scene.degraded
        gaps = self._gaps(speech.duration_s)
        gains = self._gains(gaps, speech)
        degraded = speech.with_samples(speech.samples * gains)
        facts = {
            "applied": float(not np.array_equal(degraded.samples, speech.samples)),
            "gaps": float(len(gaps)),
            "lost_fraction": float(np.mean(gains == 0.0)),
        }
        return Scene(degraded, scene.reference, facts)

    def _gaps(self, duration_s: float) -> list[Gap]:
        if self.starts_s is not None and self.lengths_ms is not None:
            stated = zip(self.starts_s, self.lengths_ms, strict=True)
            return [(start_s, 1e-3 * length_ms) for start_s, length_ms in stated if start_s < duration_s]
        rng = rng_for(self.seed, self.kind)
        count = int(rng.poisson((self.rate_per_s or 0.0) * duration_s))
        starts_s = np.sort(rng.uniform(0.0, duration_s, count))
        lengths_s = 1e-3 * rng.uniform(self.shortest_ms, self.longest_ms, count)
        return list(zip(starts_s.tolist(), lengths_s.tolist(), strict=True))

    def _gains(self, gaps: Sequence[Gap], speech: Waveform) -> Samples:
        gains, rate = np.ones(speech.samples.size, np.float32), speech.sample_rate
        fade = round(self.fade_ms / 1_000.0 * rate)
        ramp = (0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 1.0) / (fade + 1.0))).astype(np.float32)
        for start_s, length_s in gaps:
            start, stop = round(start_s * rate), round((start_s + length_s) * rate)
            gains[start:stop] = 0.0
            before, after = gains[max(0, start - fade) : start], gains[stop : stop + fade]
            np.minimum(before, ramp[fade - before.size :], out=before)
            np.minimum(after, ramp[::-1][: after.size], out=after)
        return gains
