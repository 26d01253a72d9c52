"""What STOI and ESTOI share: 10 kHz, at least 30 frames of speech, and what their numbers mean."""

from abc import abstractmethod
from typing import ClassVar

from stages.metrics.common.envelopes import STOI_SAMPLE_RATE, Rule, mean_correlation
from stages.operators.metric import Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric


class Intelligibility(FullReferenceMetric):
    """Whether the words can be understood, from short-time envelopes in third-octave bands."""

    removes_dc: ClassVar[bool] = True
    shortest_s: ClassVar[float] = 0.41
    """30 frames of 25.6 ms, half overlapped, and the frame that the definition leaves out at the end."""

    @property
    @abstractmethod
    def rule(self) -> Rule:
        """How the envelopes of a span are compared."""

    @property
    def sample_rate(self) -> int:
        """10 kHz, the rate of the definition."""
        return STOI_SAMPLE_RATE

    def measure(self, comparison: Comparison) -> Measured:
        """Return the intelligibility; raises ``UnfitError`` if fewer than 30 frames hold speech."""
        clean, candidate = comparison.clean.samples, comparison.candidate.samples
        return {"": mean_correlation(clean, candidate, self.rule)}


def make_intelligibility_output(*, votes: bool, note: str) -> Output:
    """Return what both of them give: a mean correlation."""
    return Output(
        aspect=Aspect.CONTENT_CONSISTENCY,
        better=Better.HIGHER,
        low=-1.0,
        high=1.0,
        noise_floor=0.005,
        votes=votes,
        note=note,
    )
