"""Pitch: whether the voice kept its melody, and is voiced where it was."""

from typing import ClassVar

from stages.metrics.common.fundamental_frequency import fundamental_hz
from stages.metrics.common.pitch_agreement import compare_pitch, pitch_outputs
from stages.operators.metric import METRICS, Comparison, Measured
from stages.operators.metric_bases import FullReferenceMetric

_SAMPLE_RATE = 4_000


@METRICS.register
class Pitch(FullReferenceMetric):
    """Root mean square difference of F0 in cents where both sides are voiced, and how far voicing agrees.

    F0 by YIN from 60 to 500 Hz every 10 ms. ``voicing`` is the F1 score of the candidate's voiced frames
    against those of the clean reference. A gain moves nothing.
    """

    kind: ClassVar[str] = "pitch"
    removes_dc: ClassVar[bool] = True
    outputs: ClassVar = pitch_outputs(cents_floor=5.0, voicing_floor=0.01)

    @property
    def sample_rate(self) -> int:
        """4 kHz: the lowest harmonics tell the period, and noise above them only hides it."""
        return _SAMPLE_RATE

    def measure(self, comparison: Comparison) -> Measured:
        """Return both; raises ``UnfitError`` if less than 0.1 s is voiced on both sides."""
        return compare_pitch(fundamental_hz(comparison.candidate), fundamental_hz(comparison.clean))
