"""Pitch: whether the voice kept its melody, and is voiced where it was."""

from typing import ClassVar

import numpy as np

from schemas import Reason, UnfitError
from stages.metrics.common.fundamental_frequency import PITCH_HOP_S, fundamental_hz
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

_SAMPLE_RATE = 4_000
FEWEST_FRAMES = 10
CENTS_PER_OCTAVE = 1_200.0


@METRICS.register
class Pitch(FullReferenceMetric):
    """Root mean square difference of F0 in cents where both sides are voiced, and how far voicing agrees.

    F0 by YIN from 60 to 500 Hz every 10 ms. ``voicing`` is the F1 score of the candidate's voiced frames
    against those of the clean reference. A gain moves nothing.
    """

    kind: ClassVar[str] = "pitch"
    removes_dc: ClassVar[bool] = True
    outputs: ClassVar = {
        "rmse_cents": Output(
            aspect=Aspect.TIMBRE_PRESERVATION,
            better=Better.LOWER,
            low=0.0,
            noise_floor=5.0,
            votes=False,
            note="a few octave errors outweigh all else, so no vote by default",
        ),
        "voicing": Output(
            aspect=Aspect.TIMBRE_PRESERVATION,
            better=Better.HIGHER,
            low=0.0,
            high=1.0,
            noise_floor=0.01,
            votes=False,
            note="hears whether there is a voice, not whose",
        ),
    }

    @property
    def sample_rate(self) -> int:
        """4 kHz: the lowest harmonics tell the period, and noise above them only hides it."""
        return _SAMPLE_RATE

    def measure(self, comparison: Comparison) -> Measured:
        """Return both; raises ``UnfitError`` if less than 0.1 s is voiced on both sides."""
        candidate, clean = fundamental_hz(comparison.candidate), fundamental_hz(comparison.clean)
        both = (candidate > 0.0) & (clean > 0.0)
        if np.count_nonzero(both) < FEWEST_FRAMES:
            seconds = FEWEST_FRAMES * PITCH_HOP_S
            raise UnfitError(Reason.TOO_SHORT, f"less than {seconds:g} s is voiced on both sides")
        cents = CENTS_PER_OCTAVE * np.log2(candidate[both] / clean[both])
        voiced = np.count_nonzero(candidate) + np.count_nonzero(clean)
        return {
            "rmse_cents": float(np.sqrt(np.mean(np.square(cents)))),
            "voicing": float(2 * np.count_nonzero(both) / voiced),
        }
