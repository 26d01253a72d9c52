"""Above clean: candidates that a score prefers to the clean reference, which is the best there can be."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.audit.options import Chooser, Mask, OrderedPairs
from pipeline.audit.records import AuditedScore, BeatsClean, Flagged
from schemas.rows import CLEAN
from stages.prefer.comparisons import Floats64

MOST_FLAGGED = 5
"""Candidates that are named, per score."""


class AboveClean:
    """Counts for every score, and the candidates that are furthest ahead."""

    def __init__(self, chooser: Chooser, scores: Sequence[AuditedScore]) -> None:
        margins = {criterion.metric: criterion.margin for criterion in chooser.rules.criteria}
        self._margins = np.array([margins.get(score.name, score.noise_floor) for score in scores])
        self._upwards = chooser.upwards
        self._scores = scores
        self._counts = [Counter[str]() for _ in scores]
        self._by_model = [Counter[str]() for _ in scores]
        self._flagged: list[list[Flagged]] = [[] for _ in scores]

    def add(self, ordered: OrderedPairs, kept: Mask) -> None:
        """Take in the candidates of a batch; whether one was chosen, its pairs that were kept say."""
        batch = ordered.batch
        if CLEAN not in batch.models:
            return
        clean = batch.models.index(CLEAN)
        better = batch.scores * self._upwards
        ahead = better - better[:, [clean]]
        ahead[:, clean] = np.nan
        is_chosen = np.zeros(ahead.shape[:2], dtype=bool)
        rows, pairs = np.nonzero(kept)
        is_chosen[rows, ordered.chosen[pairs]] = True
        beating = ahead > self._margins
        for at, counts in enumerate(self._counts):
            counts.update(
                candidates=int((~np.isnan(ahead[..., at])).sum()),
                beating=int(beating[..., at].sum()),
                chosen=int((beating[..., at] & is_chosen).sum()),
            )
            self._by_model[at].update(batch.models[place] for place in np.nonzero(beating[..., at])[1])
            self._flag(ordered, at, np.where(beating[..., at], ahead[..., at], np.nan), is_chosen)

    def _flag(self, ordered: OrderedPairs, at: int, ahead: Floats64, is_chosen: Mask) -> None:
        """Remember the candidates that are furthest ahead; NaN stands for those that are not."""
        batch = ordered.batch
        clean = batch.models.index(CLEAN)
        rows, places = np.nonzero(~np.isnan(ahead))
        order = np.argsort(-ahead[rows, places], kind="stable")[:MOST_FLAGGED]
        flagged = [
            Flagged(
                id=batch.ids[row],
                model=batch.models[place],
                take=batch.takes[place],
                score=self._scores[at].name,
                value=float(batch.scores[row, place, at]),
                clean=float(batch.scores[row, clean, at]),
                is_chosen=bool(is_chosen[row, place]),
            )
            for row, place in zip(rows[order], places[order], strict=True)
        ]
        found = sorted([*self._flagged[at], *flagged], key=lambda one: -abs(one.value - one.clean))
        self._flagged[at] = found[:MOST_FLAGGED]

    def walk_counts(self) -> Iterator[BeatsClean]:
        """Walk the scores."""
        for score, counts, by_model in zip(self._scores, self._counts, self._by_model, strict=True):
            numbers = {name: counts[name] for name in ("candidates", "beating", "chosen")}
            yield BeatsClean(score=score.name, by_model=dict(sorted(by_model.items())), **numbers)

    def walk_flagged(self) -> Iterator[Flagged]:
        """Walk the candidates that are furthest ahead, score by score."""
        return (one for of_score in self._flagged for one in of_score)
