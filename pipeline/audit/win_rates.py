"""Win rates: how often the chosen side is better, by each score, for the dataset's pairs and rivals."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipeline.audit.baselines import Baseline
from pipeline.audit.bootstrap import BOOTSTRAP_RESAMPLES, Bootstrap, interval_of
from pipeline.audit.options import Chooser, Mask, OrderedPairs
from pipeline.audit.records import (
    RANDOM,
    UNANIMOUS,
    AuditedScore,
    BaselineCheck,
    Interval,
    Judgement,
)
from stages.prefer.comparisons import Floats64

_PAIRS, _WINS, _ADVANTAGE = range(3)


class WinRates:
    """Sums over the pairs of each selection, for all utterances and for every resample of them."""

    def __init__(
        self,
        chooser: Chooser,
        scores: Sequence[AuditedScore],
        resampling: Bootstrap,
        baselines: Sequence[Baseline] = (),
    ) -> None:
        self._chooser = chooser
        self._scores = scores
        self._resampling = resampling
        criteria = [criterion.metric for criterion in chooser.rules.criteria]
        self._baselines = baselines
        self._selections = (UNANIMOUS, *criteria, RANDOM, *(baseline.name for baseline in baselines))
        self._compared, self._told_apart = 0, np.zeros(len(baselines), dtype=int)
        shape = len(self._selections), 3, len(scores) + len(baselines)
        self._sums = np.zeros(shape)
        self._resampled = np.zeros((BOOTSTRAP_RESAMPLES, *shape))
        self._utterances = np.zeros((shape[0], shape[2]), dtype=int)

    def add(self, judged: Iterable[tuple[OrderedPairs, Mask]], num_utterances: int) -> None:
        """Take in the utterances of one shard: ordered pairs, and which of them are the dataset's."""
        sums = np.zeros((num_utterances, *self._sums.shape))
        for ordered, kept in judged:
            np.add.at(sums, ordered.batch.utterances, self._sums_of(ordered, kept))
        self._sums += sums.sum(axis=0)
        self._utterances += (sums[:, :, _PAIRS] > 0).sum(axis=0)
        drawn = self._resampling.draw_counts(num_utterances).astype(float)
        self._resampled += np.tensordot(drawn, sums, axes=1)

    def _sums_of(self, ordered: OrderedPairs, kept: Mask) -> Floats64:
        """Return degraded utterance × selection × (pairs, wins, advantage) × score; baselines come last."""
        found = np.concatenate([ordered.advantages, self._advantages_of_baselines(ordered)], axis=2)
        is_known = ~np.isnan(found)
        wins = (found > 0) + 0.5 * (found == 0)
        outcomes = np.concatenate([is_known, wins, np.where(is_known, found, 0.0)], axis=2)
        sums: Floats64 = self._select(ordered, kept, found[..., len(self._scores) :]) @ outcomes
        return sums.reshape(len(sums), *self._sums.shape)

    def _advantages_of_baselines(self, ordered: OrderedPairs) -> Floats64:
        """Return by how much the chosen side has more: degraded utterance × ordered pair × baseline."""
        amounts = [baseline.amount(ordered.batch) for baseline in self._baselines]
        sides = [each[:, ordered.chosen] - each[:, ordered.rejected] for each in amounts]
        nothing = np.empty((*ordered.advantages.shape[:2], 0))
        return np.concatenate([nothing, *(each[..., None] for each in sides)], axis=2)

    def _select(self, ordered: OrderedPairs, kept: Mask, amounts: Floats64) -> Floats64:
        """Return how likely each selection takes each pair: degraded utterance × selection × ordered pair."""
        eligible = ordered.allowed & ordered.measured & ordered.between_restorations
        alone = [self._chooser.apply_rule(ordered, [vote], eligible) for vote in self._chooser.all_votes]
        judged = kept & ordered.between_restorations
        more = eligible[..., None] * ((amounts > 0) + 0.5 * (amounts == 0))
        self._compared += int(eligible.sum())
        self._told_apart += (eligible[..., None] & (amounts != 0) & ~np.isnan(amounts)).sum(axis=(0, 1))
        drawn_from = np.concatenate(
            [np.stack([judged, *alone, eligible], axis=1), more.transpose(0, 2, 1)], axis=1
        )
        there = drawn_from.sum(axis=2, keepdims=True)
        # a criterion alone never keeps fewer than all of them together; a baseline may
        numbers = np.minimum(judged.sum(axis=1)[:, None, None], there)
        shares: Floats64 = drawn_from * np.divide(
            numbers, there, out=np.zeros_like(there, float), where=there > 0
        )
        return shares

    def walk_judgements(self) -> Iterator[Judgement]:
        """Walk every selection by every score; baselines that tell nothing apart are left out."""
        silent = {b.name for b, told in zip(self._baselines, self._told_apart, strict=True) if not told}
        for place, selection in enumerate(self._selections):
            if selection in silent:
                continue
            for at, score in enumerate(self._scores):
                pairs = float(self._sums[place, _PAIRS, at])
                yield Judgement(
                    selection=selection,
                    score=score.name,
                    pairs=round(pairs, 6),
                    utterances=int(self._utterances[place, at]),
                    win_rate=self._rate(place, at, _WINS) if pairs else None,
                    advantage=self._rate(place, at, _ADVANTAGE) if pairs else None,
                    lead=self._lead(place, at) if pairs and place else None,
                )

    def walk_baselines(self) -> Iterator[BaselineCheck]:
        """Walk what baselines say of the dataset's pairs."""
        for place, baseline in enumerate(self._baselines):
            at = len(self._scores) + place
            yield BaselineCheck(
                name=baseline.name,
                told_apart=float(self._told_apart[place] / self._compared) if self._compared else None,
                chosen_is_more=self._rate(0, at, _WINS) if self._sums[0, _PAIRS, at] else None,
            )

    def _rate(self, selection: int, score: int, of: int) -> Interval:
        value, resampled = self._ratios(selection, score, of)
        return interval_of(value, resampled, int(self._utterances[selection, score]))

    def _lead(self, selection: int, score: int) -> Interval | None:
        if not self._sums[0, _PAIRS, score]:
            return None
        ours, theirs = (self._ratios(place, score, _WINS) for place in (0, selection))
        return interval_of(ours[0] - theirs[0], ours[1] - theirs[1], int(self._utterances[selection, score]))

    def _ratios(self, selection: int, score: int, of: int) -> tuple[float, Floats64]:
        """Return a sum per pair, for all utterances and for every resample; NaN where one has no pairs."""
        all_pairs, pairs = (sums[..., selection, _PAIRS, score] for sums in (self._sums, self._resampled))
        value = float(self._sums[selection, of, score] / all_pairs)
        with np.errstate(invalid="ignore"):
            return value, self._resampled[:, selection, of, score] / pairs
