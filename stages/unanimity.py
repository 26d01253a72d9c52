"""Unanimous preference: one candidate is chosen over another only if every criterion agrees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from schemas import Margin, Pair, Record
from stages.metrics.base import Better


class Criterion(Record):
    """One metric's vote: the better score wins if it wins by more than ``margin``."""

    metric: str
    better: Better
    margin: float = Field(default=0.0, ge=0)
    scale: float = Field(default=1.0, gt=0)
    """What one unit of advantage is worth when pairs are ranked: the metric's noise floor."""

    def advantage(self, a: float, b: float) -> float:
        """Return by how much ``a`` beats ``b``; negative when it loses."""
        return a - b if self.better is Better.HIGHER else b - a


@dataclass(frozen=True, slots=True)
class Candidate:
    """One restored version and its scores; a missing score is absent."""

    model: str
    take: int
    scores: Mapping[str, float]


class Verdict(StrEnum):
    """What became of a comparison."""

    UNANIMOUS = "unanimous"
    WITHIN_MARGIN = "within_margin"
    DISAGREED = "disagreed"
    MISSING_VOTE = "missing_vote"


def judge(a: Candidate, b: Candidate, criteria: Sequence[Criterion]) -> tuple[Verdict, Pair | None]:
    """Return the pair if every criterion favours the same side beyond its margin, else why there is none."""
    if any(c.metric not in side.scores for c in criteria for side in (a, b)):
        return Verdict.MISSING_VOTE, None
    for chosen, rejected in ((a, b), (b, a)):
        margins = [_margin(c, chosen, rejected) for c in criteria]
        if all(m.advantage > c.margin for m, c in zip(margins, criteria, strict=True)):
            return Verdict.UNANIMOUS, _pair(chosen, rejected, margins)
        if all(m.advantage >= 0 for m in margins):
            return Verdict.WITHIN_MARGIN, None
    return Verdict.DISAGREED, None


def strength(pair: Pair, criteria: Sequence[Criterion]) -> float:
    """Return the pair's narrowest vote, in units of each criterion's ``scale``."""
    return min(m.advantage / c.scale for m, c in zip(pair.margins, criteria, strict=True))


def _margin(criterion: Criterion, chosen: Candidate, rejected: Candidate) -> Margin:
    a, b = chosen.scores[criterion.metric], rejected.scores[criterion.metric]
    return Margin(metric=criterion.metric, chosen=a, rejected=b, advantage=criterion.advantage(a, b))


def _pair(chosen: Candidate, rejected: Candidate, margins: Sequence[Margin]) -> Pair:
    return Pair(
        chosen_model=chosen.model,
        chosen_take=chosen.take,
        rejected_model=rejected.model,
        rejected_take=rejected.take,
        margins=tuple(margins),
    )
