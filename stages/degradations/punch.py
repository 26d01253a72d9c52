"""Punch taken away: onsets turned down, so that plosives and attacks go soft."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.waveform import AudioSource, Waveform
from stages.dsp.dynamics import CONTROL_HZ, Ballistics, Control, amplify, peaks_db
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Constant, Distribution

SMOOTHING_MS = 1.0
_BOUNDS_DB = (8.0, 15.0)


@DEGRADATIONS.register
class Punch(Degradation):
    """Transient softening as SonicMaster does it: what exceeds a threshold of its own is turned down.

    The threshold lies at 0.7 times the 99th percentile and 0.3 times the median of the envelope in dB.
    Two things differ from the published code: the look-ahead looks ahead (there the padding takes it
    back), and the gain moves within a millisecond instead of a sample, which clicks.
    """

    kind: ClassVar[str] = "punch"
    version: ClassVar[int] = 2
    draws: ClassVar[Mapping[str, Distribution]] = {"reduction_db": Constant(value=None)}

    reduction_db: float | None = Field(default=None, gt=0.0, le=60.0)
    """By how much; none is SonicMaster's rule: 0.7 of the way from median to 99th percentile, 8 to 15."""
    attack_ms: float = Field(default=3.0, ge=0.0, le=1_000.0)
    """Until the envelope has followed 63 % of a rise."""
    release_ms: float = Field(default=150.0, ge=0.0, le=5_000.0)
    """Until the envelope has followed 63 % of a fall."""
    look_ahead_ms: float = Field(default=10.0, ge=0.0, le=100.0)
    """How long before the envelope crosses the threshold the gain falls."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Soften, and report threshold, reduction, and for how much of the time."""
        speech = scene.degraded
        envelope_db = self._envelope_db(speech)
        median_db, loud_db = np.percentile(envelope_db, [50.0, 99.0])
        threshold_db = 0.7 * loud_db + 0.3 * median_db
        reduction_db = self.reduction_db or float(np.clip(0.7 * (loud_db - median_db), *_BOUNDS_DB))
        early = round(self.look_ahead_ms / 1_000.0 * CONTROL_HZ)
        loud = np.append(envelope_db, np.full(early, envelope_db[-1]))[early:] > threshold_db
        gains_db = Ballistics(SMOOTHING_MS, SMOOTHING_MS).smooth(-reduction_db * loud, speech.sample_rate)
        facts = {
            "applied": float(bool(loud.any())),
            "threshold_db": float(threshold_db),
            "reduction_db": reduction_db,
            "reduced_fraction": float(loud.mean()),
        }
        return Scene(amplify(speech, gains_db), scene.reference, facts)

    def _envelope_db(self, speech: Waveform) -> Control:
        sizes = 10.0 ** (peaks_db(speech, hold_s=0.0) / 20.0)
        envelope = -Ballistics(self.attack_ms, self.release_ms).smooth(-sizes, speech.sample_rate)
        return np.asarray(20.0 * np.log10(envelope))
