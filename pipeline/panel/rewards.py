"""Rewards of scores, and advantages of rewards, in which what is missing stays missing."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from stages.operators.metric import Better
from stages.prefer.comparisons import CandidateScores, Floats64, Indices, compare_candidates
from stages.prefer.criteria import Criterion
from stages.prefer.vetoes import Veto

Normalise = Literal["batch_std", "none"]


def weighted_rewards(
    values: Mapping[str, Floats64],
    better: Mapping[str, Better],
    weights: Mapping[str, float],
    normalise: Normalise,
) -> Floats64:
    """Return Σ weight × score of each item, scores turned so that more is better; NaN where one is missing.

    With ``batch_std`` each score is divided by its standard deviation over the items that have it; a score
    that does not vary is left as it is, for then it cannot tell items apart.
    """
    total = np.zeros(len(next(iter(values.values()), ())))
    for name, weight in weights.items():
        signed = values[name] if better[name] is Better.HIGHER else -values[name]
        total = total + weight * signed / (_spread(signed) if normalise == "batch_std" else 1.0)
    return total


def unanimity_rewards(
    values: Mapping[str, Floats64],
    criteria: Sequence[Criterion],
    vetoes: Sequence[Veto],
    groups: Sequence[Hashable],
) -> Floats64:
    """Return the share of the others in its group that each item beats on every criterion beyond its margin.

    Wins that a veto refuses are none. The others are those with a score from every criterion; an item
    without one, or without others, has NaN.
    """
    rewards = np.full(len(groups), np.nan)
    votes = np.stack([values[criterion.metric] for criterion in criteria], axis=1)
    has_votes = np.array([not any(each) for each in np.isnan(votes)], dtype=bool)
    for members in _members_of(groups):
        voting = members[has_votes[members]]
        if voting.size > 1:
            of_group = {name: of_all[voting] for name, of_all in values.items()}
            rewards[voting] = _wins(of_group, criteria, vetoes, voting.size) / (voting.size - 1)
    return rewards


def group_advantages(rewards: Floats64, groups: Sequence[Hashable]) -> Floats64:
    """Return (reward − mean) / standard deviation within each group: the advantage of GRPO.

    An item without a reward takes no part and has the advantage 0, so that it pulls nowhere; so has a group
    of fewer than two rewards, or of equal ones. Shao et al. (2024, arXiv 2402.03300), section 4.1.
    """
    advantages = np.zeros(len(groups))
    for members in _members_of(groups):
        there = members[~np.isnan(rewards[members])]
        if there.size > 1:
            centred = rewards[there] - rewards[there].mean()
            advantages[there] = centred / _spread(rewards[there])
    return advantages


def _wins(
    scores: Mapping[str, Floats64], criteria: Sequence[Criterion], vetoes: Sequence[Veto], number: int
) -> Floats64:
    candidates = CandidateScores("", ("",) * number, range(number), scores)
    pairs = compare_candidates(candidates, criteria, *np.triu_indices(number, k=1)).unanimous
    refused = np.zeros(len(pairs), dtype=bool)
    for veto in vetoes:
        refused |= veto.refuses(candidates, pairs.chosen, pairs.rejected)
    return np.bincount(pairs.chosen[~refused], minlength=number).astype(np.float64)


def _members_of(groups: Sequence[Hashable]) -> Iterator[Indices]:
    members = defaultdict[Hashable, list[int]](list)
    for index, group in enumerate(groups):
        members[group].append(index)
    return (np.array(indices, dtype=np.intp) for indices in members.values())


def _spread(values: Floats64) -> float:
    """Return the standard deviation of what is there; 1 where that says nothing."""
    there = values[~np.isnan(values)]
    spread = float(there.std()) if there.size else 0.0
    return spread if spread > 0.0 else 1.0
