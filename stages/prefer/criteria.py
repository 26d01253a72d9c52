"""Unanimous preference: one candidate is chosen over another only if every criterion agrees.

This is the definition, two candidates at a time. ``comparisons`` gives the same answers for all candidates of
an utterance at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas import Margin, Pair, Record
from stages.operators.metric import Better

Values = TypeVar("Values", float, NDArray[np.float64])


class Criterion(Record):
    """One metric's vote: the better score wins if it wins by more than ``margin``."""

    metric: str
    better: Better
    margin: float = Field(default=0.0, ge=0)
    scale: float = Field(default=1.0, gt=0)
    """What one unit of advantage is worth when pairs are ranked: the metric's noise floor."""

    def advantage(self, a: Values, b: Values) -> Values:
        """Return by how much ``a`` beats ``b``; negative when it loses."""
        return a - b if self.better is Better.HIGHER else b - a


@dataclass(frozen=True, slots=True)
class Candidate:
    """One restored version and its scores; a missing score is absent."""

    model: str
    take: int
    scores: Mapping[str, float]


class ComparisonOutcome(StrEnum):
    """What became of a comparison."""

    UNANIMOUS = "unanimous"
    WITHIN_MARGIN = "within_margin"
    DISAGREED = "disagreed"
    MISSING_VOTE = "missing_vote"


def judge(a: Candidate, b: Candidate, criteria: Sequence[Criterion]) -> tuple[ComparisonOutcome, Pair | None]:
    """Return the pair if every criterion favours the same side beyond its margin, else why there is none."""
    if any(c.metric not in side.scores for c in criteria for side in (a, b)):
        return ComparisonOutcome.MISSING_VOTE, None
    for chosen, rejected in ((a, b), (b, a)):
        margins = margins_of(chosen, rejected, criteria)
        if all(m.advantage > c.margin for m, c in zip(margins, criteria, strict=True)):
            return ComparisonOutcome.UNANIMOUS, pair_of(chosen, rejected, criteria)
        if all(m.advantage >= 0 for m in margins):
            return ComparisonOutcome.WITHIN_MARGIN, None
    return ComparisonOutcome.DISAGREED, None


def pair_of(chosen: Candidate, rejected: Candidate, criteria: Sequence[Criterion]) -> Pair:
    """Return the pair with its margins, and as its strength the narrowest in units of ``scale``."""
    margins = margins_of(chosen, rejected, criteria)
    return Pair(
        chosen_model=chosen.model,
        chosen_take=chosen.take,
        rejected_model=rejected.model,
        rejected_take=rejected.take,
        strength=min(m.advantage / c.scale for m, c in zip(margins, criteria, strict=True)),
        margins=margins,
    )


def margins_of(chosen: Candidate, rejected: Candidate, criteria: Sequence[Criterion]) -> tuple[Margin, ...]:
    """Return by how much ``chosen`` beats ``rejected``, criterion by criterion."""
    return tuple(_margin(c, chosen.scores[c.metric], rejected.scores[c.metric]) for c in criteria)


def _margin(criterion: Criterion, chosen: float, rejected: float) -> Margin:
    return Margin(
        metric=criterion.metric,
        chosen=chosen,
        rejected=rejected,
        advantage=criterion.advantage(chosen, rejected),
    )
