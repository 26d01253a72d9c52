"""All comparisons of one degraded utterance at once: what ``criteria.judge`` says of each, by arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.prefer.criteria import ComparisonOutcome, Criterion

Floats64 = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class CandidateScores:
    """The candidates of one degraded utterance in the order of models and takes, and their scores."""

    id: str
    models: Sequence[str]
    takes: Sequence[int]
    scores: Mapping[str, Floats64]
    """One value per candidate and score; NaN where there is none."""
    duration_s: float = 0.0
    num_same_audio: int = 0
    """Candidates that were left out because an earlier one is the same recording."""


@dataclass(frozen=True, slots=True)
class PairColumns:
    """Unanimous pairs of one degraded utterance: both sides by their places among its candidates."""

    chosen: Indices
    rejected: Indices
    advantages: Floats64
    """By how much each criterion favours the chosen side: one row per pair."""
    strengths: Floats64

    def __len__(self) -> int:
        """Return how many there are."""
        return self.chosen.size

    def at(self, places: Indices) -> "PairColumns":
        """Return the pairs at ``places``, in that order."""
        return PairColumns(
            self.chosen[places], self.rejected[places], self.advantages[places], self.strengths[places]
        )


NO_PAIRS = PairColumns(np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, 0)), np.empty(0))


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What became of the comparisons."""

    counts: Mapping[ComparisonOutcome, int]
    unanimous: PairColumns


def compare_candidates(
    candidates: CandidateScores, criteria: Sequence[Criterion], first: Indices, second: Indices
) -> Comparisons:
    """Compare the candidates ``first`` with the candidates ``second``, one by one."""
    scores = [candidates.scores[criterion.metric] for criterion in criteria]
    advantages = np.stack(
        [c.advantage(s[first], s[second]) for c, s in zip(criteria, scores, strict=True)], axis=1
    )
    margins, scales = (np.array([getattr(c, of) for c in criteria]) for of in ("margin", "scale"))
    wins = (advantages > margins).all(axis=1)
    unanimous = wins | (advantages < -margins).all(axis=1)
    leans = (advantages >= 0).all(axis=1) | (advantages <= 0).all(axis=1)
    won = np.abs(advantages[unanimous])
    missing = int(np.isnan(advantages).any(axis=1).sum())
    agreed, near = int(unanimous.sum()), int((leans & ~unanimous).sum())
    return Comparisons(
        counts={
            ComparisonOutcome.UNANIMOUS: agreed,
            ComparisonOutcome.WITHIN_MARGIN: near,
            ComparisonOutcome.DISAGREED: len(advantages) - agreed - near - missing,
            ComparisonOutcome.MISSING_VOTE: missing,
        },
        unanimous=PairColumns(
            chosen=np.where(wins, first, second)[unanimous],
            rejected=np.where(wins, second, first)[unanimous],
            advantages=won,
            strengths=(won / scales).min(axis=1, initial=np.inf),
        ),
    )
