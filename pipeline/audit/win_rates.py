"""Win rates: how often the chosen side is better, by each score, for the dataset's pairs and rivals."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipeline.audit.bootstrap import BOOTSTRAP_RESAMPLES, Bootstrap, interval_of
from pipeline.audit.options import Chooser, Mask, OrderedPairs
from pipeline.audit.records import RANDOM, UNANIMOUS, AuditedScore, Interval, Judgement
from stages.prefer.comparisons import Floats64

_PAIRS, _WINS, _ADVANTAGE = range(3)


class WinRates:
    """Sums over the pairs of each selection, for all utterances and for every resample of them."""

    def __init__(self, chooser: Chooser, scores: Sequence[AuditedScore], resampling: Bootstrap) -> None:
        self._chooser = chooser
        self._scores = scores
        self._resampling = resampling
        criteria = [criterion.metric for criterion in chooser.rules.criteria]
        self._selections = (UNANIMOUS, *criteria, RANDOM)
        shape = len(self._selections), 3, len(scores)
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
        """Return degraded utterance × selection × (pairs, wins, advantage) × score."""
        found = ordered.advantages
        is_known = ~np.isnan(found)
        wins = (found > 0) + 0.5 * (found == 0)
        outcomes = np.concatenate([is_known, wins, np.where(is_known, found, 0.0)], axis=2)
        sums: Floats64 = self._select(ordered, kept) @ outcomes
        return sums.reshape(len(sums), *self._sums.shape)

    def _select(self, ordered: OrderedPairs, kept: Mask) -> Floats64:
        """Return how likely each selection takes each pair: degraded utterance × selection × ordered pair."""
        eligible = ordered.allowed & ordered.measured & ordered.between_restorations
        alone = [self._chooser.apply_rule(ordered, [vote], eligible) for vote in self._chooser.all_votes]
        judged = kept & ordered.between_restorations
        drawn_from = np.stack([judged, *alone, eligible], axis=1)
        numbers = judged.sum(axis=1)[:, None, None]
        # a criterion alone never keeps fewer than all of them together
        shares: Floats64 = drawn_from * (numbers / np.maximum(drawn_from.sum(axis=2, keepdims=True), 1))
        return shares

    def walk_judgements(self) -> Iterator[Judgement]:
        """Walk every selection by every score."""
        for place, selection in enumerate(self._selections):
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
