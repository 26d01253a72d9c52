"""Rows of scores: what the takes of one record came to, as their table holds it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schemas import Outcome, Reason, Restored, Score, Scored, Status, TakeScores
from stages.operators.metric import Measured, score_name

NO_VALUE_UPSTREAM = Outcome(status=Status.SKIPPED, reason=Reason.NO_VALUE_UPSTREAM)


@dataclass(frozen=True, slots=True)
class TakeResult:
    """What one take came to, the gains at which it and its reference were heard, and how late it was."""

    measured: Measured | Outcome
    gain_db: float = 0.0
    clean_gain_db: float = 0.0
    lag_samples: int = 0


@dataclass(frozen=True, slots=True)
class ScoreRows:
    """Builds the rows of one metric, known by its name and the suffixes of its outputs."""

    metric: str
    suffixes: Sequence[str]

    def row(self, restored: Restored, results: Sequence[TakeResult]) -> Scored:
        """Return the row of a record: ``ok`` if any of its scores is, else with the gravest reason."""
        takes = self._takes(restored, results)
        outcome = _outcome_of_scores([score for take in takes for score in take.scores])
        return Scored(id=restored.id, model=restored.model, takes=takes, **outcome.fields)

    def row_without_value(self, restored: Restored, outcome: Outcome) -> Scored:
        """Return a row in which every take has ``outcome`` for every output."""
        takes = self._takes(restored, [TakeResult(outcome)] * len(restored.takes))
        return Scored(id=restored.id, model=restored.model, takes=takes, **outcome.fields)

    def _takes(self, restored: Restored, results: Sequence[TakeResult]) -> tuple[TakeScores, ...]:
        return tuple(
            TakeScores(
                take=take.take,
                gain_db=result.gain_db,
                clean_gain_db=result.clean_gain_db,
                lag_samples=result.lag_samples,
                scores=tuple(self._score(result.measured, suffix) for suffix in self.suffixes),
            )
            for take, result in zip(restored.takes, results, strict=True)
        )

    def _score(self, measured: Measured | Outcome, suffix: str) -> Score:
        name = score_name(self.metric, suffix)
        if isinstance(measured, Outcome):
            return Score(name=name, **measured.fields)
        if suffix not in measured:
            return _failed_score(name, Reason.ERROR, "the metric did not give this output")
        value = float(measured[suffix])
        if not math.isfinite(value):
            return _failed_score(name, Reason.NOT_FINITE, "the metric gave no finite value")
        return Score(name=name, value=value)


def _failed_score(name: str, reason: Reason, detail: str) -> Score:
    return Score(name=name, status=Status.FAILED, reason=reason, detail=detail)


def _outcome_of_scores(scores: Sequence[Score]) -> Outcome:
    """Return ``ok`` if any score is, else the gravest reason: failed, then unfit, then skipped."""
    for status in (Status.OK, Status.FAILED, Status.UNFIT):
        for score in scores:
            if score.status is status:
                return Outcome(**score.fields)
    return NO_VALUE_UPSTREAM
