"""Distributions: the scores of both sides of the pairs, from no more pairs than fit in memory."""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.audit.options import Mask, OrderedPairs
from pipeline.audit.records import QUANTILES, AuditedScore, ScoreDistribution
from stages.prefer.comparisons import Floats64

_MOST_PAIRS = 100_000


class Distributions:
    """Every pair, or, once there are too many, every second, every fourth …."""

    def __init__(self, scores: Sequence[AuditedScore], most_pairs: int = _MOST_PAIRS) -> None:
        self._scores = scores
        self._most_pairs = most_pairs
        self._parts: list[Floats64] = []
        self.num_held = 0
        """Pairs that are held now."""
        self._seen = 0
        self._every = 1

    def add(self, ordered: OrderedPairs, kept: Mask) -> None:
        """Take in ordered pairs, and which of them are the dataset's."""
        rows, pairs = np.nonzero(kept)
        scores = ordered.batch.scores
        sides = [scores[rows, ordered.chosen[pairs]], scores[rows, ordered.rejected[pairs]]]
        found = np.stack([*sides, ordered.advantages[rows, pairs]], axis=1)
        numbers = np.arange(self._seen, self._seen + len(found))
        self._seen += len(found)
        self._hold(found[numbers % self._every == 0])
        while self.num_held > self._most_pairs:
            self._every *= 2
            held = np.concatenate(self._parts)[::2]
            self._parts, self.num_held = [held], len(held)

    def _hold(self, found: Floats64) -> None:
        self._parts.append(found)
        self.num_held += len(found)

    def walk_distributions(self) -> Iterator[ScoreDistribution]:
        """Walk the scores."""
        nothing = np.empty((0, 3, len(self._scores)))
        held = np.concatenate([nothing, *self._parts])
        for place, score in enumerate(self._scores):
            chosen, rejected, advantage = (_quantiles(side) for side in held[..., place].T)
            yield ScoreDistribution(score=score.name, chosen=chosen, rejected=rejected, advantage=advantage)


def _quantiles(values: Floats64) -> tuple[float, ...]:
    values = values[~np.isnan(values)]
    return tuple(np.quantile(values, QUANTILES).tolist()) if values.size else ()
