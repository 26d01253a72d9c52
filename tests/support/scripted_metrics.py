"""Metrics that keep what they were given and answer as a test tells them to."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import Outcome, Reason, Scored, Status
from stages.audio.cache import AudioCache
from stages.operators.metric import Aspect, Better, Comparison, Measured, Metric, Output
from stages.score.stage import ScoreStage

QUALITY = Output(aspect=Aspect.PERCEPTUAL_QUALITY, better=Better.HIGHER)
Answer = Measured | Outcome


class Listener(Metric):
    """Keeps what it was given, and answers each comparison as it is told to."""

    kind: ClassVar[str] = "listener"
    outputs: ClassVar = {"": QUALITY}
    rate: int | None = None

    _heard: list[Sequence[Comparison]] = PrivateAttr(default_factory=list)
    _answers: list[Callable[[Comparison], Answer]] = PrivateAttr(default_factory=list)

    @property
    def sample_rate(self) -> int | None:
        """Whatever it is told."""
        return self.rate

    def answering(self, answer: Callable[[Comparison], Answer]) -> "Listener":
        """Return itself, from now on answering by ``answer``."""
        self._answers.append(answer)
        return self

    @property
    def heard(self) -> list[Comparison]:
        """Everything it was given, in order."""
        return [comparison for batch in self._heard for comparison in batch]

    @property
    def batch_sizes(self) -> list[int]:
        """How many comparisons came together."""
        return [len(batch) for batch in self._heard]

    def score(self, batch: Sequence[Comparison]) -> Sequence[Answer]:
        """Answer each comparison."""
        self._heard.append(batch)
        return [self._answers[0](comparison) if self._answers else {"": 1.0} for comparison in batch]


class TogetherListener(Listener):
    """One that knows how it was asked."""

    kind: ClassVar[str] = "together_listener"
    _together: list[Sequence[Comparison]] = PrivateAttr(default_factory=list)

    @property
    def together(self) -> Sequence[Sequence[Comparison]]:
        """The batches that were to be heard together."""
        return self._together

    def score_together(self, batch: Sequence[Comparison]) -> Sequence[Answer]:
        """Answer as ever."""
        self._together.append(batch)
        return self.score(batch)


class LevelListener(Listener):
    """One that depends on level and minds DC."""

    kind: ClassVar[str] = "level_listener"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True


class ReadingListener(Listener):
    """One that compares with what was said."""

    kind: ClassVar[str] = "reading_listener"
    needs_transcript: ClassVar[bool] = True


class TwoNumbers(Listener):
    """One that gives two numbers."""

    kind: ClassVar[str] = "two_numbers"
    outputs: ClassVar = {"left": QUALITY, "right": QUALITY}


class Hermit(Listener):
    """One that judges the candidate alone."""

    kind: ClassVar[str] = "hermit"
    needs_clean: ClassVar[bool] = False


def stage_of(metric: Metric, name: str = "m") -> ScoreStage:
    """Return a stage with a cache of its own."""
    return ScoreStage(name, metric, AudioCache())


def outcomes(row: Scored) -> list[tuple[Status, Reason | None]]:
    """Return status and reason of each take's first score."""
    return [(take.scores[0].status, take.scores[0].reason) for take in row.takes]


def quiet(comparison: Comparison) -> bool:
    """Say whether the candidate was marked by being quiet."""
    return float(np.abs(comparison.candidate.samples).max()) < 0.05
