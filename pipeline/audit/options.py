"""Choosing for many degraded utterances at once: which pairs there are, and which of them some votes keep."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.candidate_batches import CandidateBatch
from pipeline.audit.records import AuditedScore
from schemas.rows import CLEAN
from stages.operators.metric import Better
from stages.prefer.comparisons import Floats64, Indices
from stages.prefer.stage import Rules

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OrderedPairs:
    """All ordered pairs of a batch that the pair rule compares: each comparison once either way round."""

    batch: CandidateBatch
    chosen: Indices
    """The candidate that would be chosen, one per ordered pair."""
    rejected: Indices
    advantages: Floats64
    """By how much the chosen side is better: degraded utterance × ordered pair × score."""
    favoured: Mask
    """Whether it is better by more than the margin: degraded utterance × ordered pair × criterion."""
    allowed: Mask
    """Whether its chosen side may win and no veto falls: degraded utterance × ordered pair."""
    measured: Mask
    """Whether it has every vote."""

    @property
    def between_restorations(self) -> Mask:
        """Whether neither side is the clean reference, ordered pair by ordered pair."""
        is_restored = np.array([model != CLEAN for model in self.batch.models], dtype=bool)
        return mask_all(np.stack([is_restored[self.chosen], is_restored[self.rejected]], axis=1))

    @property
    def unanimous(self) -> Mask:
        """Whether every criterion favours the chosen side."""
        return mask_all(self.favoured)


class Chooser:
    """The rules of a run, for batches."""

    def __init__(self, rules: Rules, scores: Sequence[AuditedScore]) -> None:
        names = [score.name for score in scores]
        self.rules = rules
        self.upwards = np.array([1.0 if score.better is Better.HIGHER else -1.0 for score in scores])
        """What makes more the better, score by score."""
        self.votes = [names.index(criterion.metric) for criterion in rules.criteria]
        """Places of the criteria among the scores."""
        self.margins = np.array([criterion.margin for criterion in rules.criteria])
        self._scales = np.array([criterion.scale for criterion in rules.criteria])

    @property
    def all_votes(self) -> range:
        """The numbers of all criteria."""
        return range(len(self.votes))

    def ordered_pairs(self, batch: CandidateBatch) -> OrderedPairs:
        """Return the ordered pairs of a batch; the two of one comparison stand side by side."""
        first, second = self.rules.pairs.comparisons(batch.models)
        chosen = np.stack([first, second], axis=1).ravel()
        rejected = np.stack([second, first], axis=1).ravel()
        better = batch.scores * self.upwards
        advantages = better[:, chosen] - better[:, rejected]
        votes = advantages[..., self.votes]
        return OrderedPairs(
            batch=batch,
            chosen=chosen,
            rejected=rejected,
            advantages=advantages,
            favoured=votes > self.margins,
            allowed=self._mask_allowed(batch, chosen, rejected),
            measured=mask_all(~np.isnan(votes)),
        )

    def _mask_allowed(self, batch: CandidateBatch, chosen: Indices, rejected: Indices) -> Mask:
        may_win = np.array([self.rules.pairs.may_win(model) for model in batch.models], dtype=bool)
        allowed = np.tile(may_win[chosen], (len(batch.ids), 1))
        if self.rules.vetoes:
            for row in range(len(batch.ids)):
                candidates = batch.candidate_scores(row)
                for veto in self.rules.vetoes:
                    allowed[row] &= ~veto.refuses(candidates, chosen, rejected)
        return allowed

    def apply_rule(self, ordered: OrderedPairs, votes: Sequence[int], among: Mask) -> Mask:
        """Return which of the ordered pairs ``among`` the pair rule keeps if only these criteria vote."""
        sound = among & mask_all(ordered.favoured[..., votes])
        rule = self.rules.pairs
        if rule.limit is None and rule.max_per_model_pair is None:
            return sound
        places = [self.votes[vote] for vote in votes]
        strengths = (ordered.advantages[..., places] / self._scales[votes]).min(axis=-1)
        models = np.array(ordered.batch.models)
        kept = np.zeros_like(sound)
        for row in np.flatnonzero(sound.any(axis=1)):
            there = np.flatnonzero(sound[row])
            sides = (models[side[there]].tolist() for side in (ordered.chosen, ordered.rejected))
            kept[row, there[rule.select(strengths[row, there], *sides)]] = True
        return kept


def mask_all(votes: Mask) -> Mask:
    """Return where every vote, along the last axis, is cast."""
    every: Mask = np.asarray(votes.all(axis=-1))
    return every
