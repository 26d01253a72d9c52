"""All comparisons of one degraded utterance at once: what ``unanimity.judge`` says of each, by arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas import Pair
from stages.unanimity import Criterion, Verdict

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Ballot:
    """The candidates of one degraded utterance in the order of models and takes, and their scores."""

    id: str
    models: Sequence[str]
    takes: Sequence[int]
    scores: Mapping[str, Floats]
    """One value per candidate and score; NaN where there is none."""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What became of the comparisons; chosen, rejected and strength of those that are unanimous."""

    counts: Mapping[Verdict, int]
    chosen: Indices
    rejected: Indices
    advantages: Floats
    """By how much each criterion favours the chosen side: one row per unanimous pair."""
    strengths: Floats


def verdicts_of(ballot: Ballot, criteria: Sequence[Criterion], first: Indices, second: Indices) -> Verdicts:
    """Compare the candidates ``first`` with the candidates ``second``, one by one."""
    scores = [ballot.scores[criterion.metric] for criterion in criteria]
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
    return Verdicts(
        counts={
            Verdict.UNANIMOUS: agreed,
            Verdict.WITHIN_MARGIN: near,
            Verdict.DISAGREED: len(advantages) - agreed - near - missing,
            Verdict.MISSING_VOTE: missing,
        },
        chosen=np.where(wins, first, second)[unanimous],
        rejected=np.where(wins, second, first)[unanimous],
        advantages=won,
        strengths=(won / scales).min(axis=1, initial=np.inf),
    )


def pairs_of(
    ballot: Ballot, criteria: Sequence[Criterion], found: Verdicts, places: Indices
) -> tuple[Pair, ...]:
    """Return the unanimous pairs at ``places``, in that order."""
    metrics = [criterion.metric for criterion in criteria]
    scores = np.stack([ballot.scores[metric] for metric in metrics], axis=1).tolist()
    columns = (found.chosen, found.rejected, found.advantages, found.strengths)
    return tuple(
        Pair.model_validate(
            {
                "chosen_model": ballot.models[chosen],
                "chosen_take": ballot.takes[chosen],
                "rejected_model": ballot.models[rejected],
                "rejected_take": ballot.takes[rejected],
                "strength": strength,
                "margins": tuple(
                    {"metric": metric, "chosen": a, "rejected": b, "advantage": advantage}
                    for metric, a, b, advantage in zip(
                        metrics, scores[chosen], scores[rejected], advantages, strict=True
                    )
                ),
            }
        )
        for chosen, rejected, advantages, strength in zip(*(c[places].tolist() for c in columns), strict=True)
    )
