"""How far scores, unanimity and kept pairs prefer what listeners prefer, with intervals over utterances."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.bootstrap import BOOTSTRAP_RESAMPLES, Bootstrap, interval_of
from pipeline.audit.human_records import KEPT_PAIRS, BucketAgreement, HumanAudit, JudgeAgreement
from pipeline.audit.options import Mask
from pipeline.audit.rated import RatedPair, RatedRecordings
from pipeline.audit.ratings import HumanRatings
from pipeline.audit.records import UNANIMOUS, Interval, ScoreRole
from pipeline.tables.inventory import Inventory
from pipeline.tables.sql import RunTables
from stages.operators.metric import Better
from stages.prefer.comparisons import Floats64
from stages.prefer.criteria import Criterion

BUCKETS = (0.0, 1.0, 2.0, 3.0, 5.0)
"""Where buckets of differences begin, in units of the criterion's scale; the last has no end."""


def human_audit_of(tables: RunTables, given: HumanRatings) -> HumanAudit:
    """Return how far the scores and pairs in the tables agree with what people said."""
    rated = RatedRecordings.of(tables, given.ratings, given.votes)
    return _Agreement(tables.inventory, rated).audit(given.sources)


@dataclass(frozen=True, slots=True)
class _Judge:
    """What one judge says of the comparisons; NaN where it says nothing."""

    name: str
    part: str
    side: Floats64
    """Above 0 for the first restoration, below for the second."""
    verdict: Floats64
    """The same, 0 within the margin."""
    strength: Floats64
    """By how much, in units of the criterion's scale."""
    takes_a_side: bool


class _Agreement:
    """Comparisons as arrays, and the sums over them of each utterance."""

    def __init__(self, inventory: Inventory, rated: RatedRecordings) -> None:
        self._rated = rated
        self._criteria = _criteria_of(inventory)
        self._votes = [criterion.metric for criterion in inventory.criteria]
        self._held_out = inventory.held_out
        self._pairs: Sequence[RatedPair] = list(rated.walk_pairs())
        self._recordings = sorted(rated.opinions)
        rows = [pair.row for pair in self._pairs], [row for row, _ in self._recordings]
        utterances = sorted({rated.utterances[row] for some in rows for row in some})
        self._places = {name: place for place, name in enumerate(utterances)}
        self._of_pair, self._of_recording = (
            np.array([self._places[rated.utterances[row]] for row in some], dtype=np.intp) for some in rows
        )
        self._lead = np.array([pair.lead for pair in self._pairs])
        self._tied = np.array([pair.is_tie for pair in self._pairs], dtype=bool)
        self._ratios = _Ratios(len(utterances))

    def audit(self, sources: Sequence[str]) -> HumanAudit:
        """Return what was found."""
        rated, pairs = self._rated, self._pairs
        return HumanAudit(
            sources=tuple(sources),
            ratings=rated.num_ratings,
            unmatched=tuple(rated.unmatched),
            outdated_votes=rated.outdated_votes,
            listeners=len(rated.listeners),
            utterances=len(self._places),
            recordings=len(self._recordings),
            comparisons=len(pairs),
            from_opinions=sum(pair.is_from_opinions for pair in pairs),
            undecided=int((self._lead == 0).sum()),
            ties=int(self._tied.sum()),
            between_listeners=self._between_listeners(),
            judges=tuple(self._agreement_of(judge) for judge in self._walk_judges()),
            resamples=BOOTSTRAP_RESAMPLES,
        )

    def _between_listeners(self) -> Interval | None:
        for_a, for_b = (
            np.array([getattr(p, of) for p in self._pairs], dtype=float) for of in ("for_a", "for_b")
        )
        both = for_a + for_b
        agreed = (for_a * (for_a - 1) + for_b * (for_b - 1)) / 2
        return self._ratios.of(self._of_pair, agreed, both * (both - 1) / 2)

    def _walk_judges(self) -> Iterator[_Judge]:
        """Walk unanimity, the kept pairs if there are any, and every score."""
        advantages = {name: self._advantages(criterion) for name, criterion in self._criteria.items()}
        unanimous = self._unanimous(advantages)
        yield unanimous
        kept = np.array([self._kept_side(pair) for pair in self._pairs])
        if self._rated.chosen:
            part = ScoreRole.VOTES.value
            yield _Judge(KEPT_PAIRS, part, kept, kept, unanimous.strength, takes_a_side=False)
        for name, criterion in self._criteria.items():
            found = advantages[name]
            verdict = np.where(np.abs(found) > criterion.margin, np.sign(found), found * 0.0)
            strength = np.abs(found) / criterion.scale
            yield _Judge(name, self._part_of(name), np.sign(found), verdict, strength, takes_a_side=True)

    def _part_of(self, name: str) -> ScoreRole:
        if name in self._votes:
            return ScoreRole.VOTES
        return ScoreRole.HELD_OUT if name in self._held_out else ScoreRole.RECORDED

    def _advantages(self, criterion: Criterion) -> Floats64:
        """Return by how much the score finds the first restoration better, comparison by comparison."""
        name = criterion.metric
        sides = (
            np.array([self._score(pair.row, digest, name) for pair, digest in side], dtype=float)
            for side in ([(p, p.a) for p in self._pairs], [(p, p.b) for p in self._pairs])
        )
        return criterion.advantage(*sides)

    def _score(self, row: str, digest: str, name: str) -> float:
        return self._rated.scores.get((row, digest), {}).get(name, np.nan)

    def _unanimous(self, advantages: dict[str, Floats64]) -> _Judge:
        votes = np.array([advantages[name] for name in self._votes]).reshape(
            len(self._votes), len(self._pairs)
        )
        margins, scales = (
            np.array([[getattr(self._criteria[name], of)] for name in self._votes])
            for of in ("margin", "scale")
        )
        sides = (votes > margins).all(axis=0).astype(float) - (votes < -margins).all(axis=0)
        sides[np.isnan(votes).any(axis=0)] = np.nan
        strength = (np.abs(votes) / scales).min(axis=0)
        return _Judge(UNANIMOUS, ScoreRole.VOTES.value, sides, sides, strength, takes_a_side=False)

    def _kept_side(self, pair: RatedPair) -> float:
        chosen = self._rated.chosen.get((pair.row, frozenset((pair.a, pair.b))))
        return 0.0 if chosen is None else 1.0 if chosen == pair.a else -1.0

    def _agreement_of(self, judge: _Judge) -> JudgeAgreement:
        measured = ~np.isnan(judge.side)
        agreed = (judge.side * np.sign(self._lead) > 0) + 0.5 * (judge.side == 0)
        preferred = measured & (self._lead != 0)
        decisive = measured & (judge.verdict != 0)
        three_way = judge.verdict == np.where(self._tied, 0.0, np.sign(self._lead))
        correlated, correlation = self._correlation(judge)
        return JudgeAgreement(
            judge=judge.name,
            part=judge.part,
            comparisons=int(measured.sum()),
            decisive=int(decisive.sum()),
            agreement=self._share(agreed, preferred) if judge.takes_a_side else None,
            beyond_margin=self._share(agreed, preferred & decisive),
            with_ties=self._share(three_way, measured),
            buckets=tuple(self._walk_buckets(judge, agreed, preferred & (decisive | judge.takes_a_side))),
            recordings=correlated,
            correlation=correlation,
        )

    def _walk_buckets(self, judge: _Judge, agreed: Floats64, among: Mask) -> Iterator[BucketAgreement]:
        for low, high in zip(BUCKETS, (*BUCKETS[1:], None), strict=True):
            within = among & (judge.strength >= low)
            if high is not None:
                within &= judge.strength < high
            yield BucketAgreement(
                at_least=low,
                below=high,
                comparisons=int(within.sum()),
                agreement=self._share(agreed, within),
            )

    def _share(self, agreed: Floats64 | Mask, among: Mask) -> Interval | None:
        return self._ratios.of(self._of_pair, np.where(among, agreed, 0.0), among.astype(float))

    def _correlation(self, judge: _Judge) -> tuple[int, Interval | None]:
        """Return how many recordings have an opinion score and a value, and their rank correlation."""
        criterion = self._criteria.get(judge.name)
        if criterion is None:
            return 0, None
        values = np.array([self._score(row, digest, judge.name) for row, digest in self._recordings])
        known = ~np.isnan(values)
        upwards = values[known] if criterion.better is Better.HIGHER else -values[known]
        opinions = np.array([self._rated.mos_of(recording) for recording in self._recordings])[known]
        return int(known.sum()), self._ratios.correlation(self._of_recording[known], upwards, opinions)


class _Ratios:
    """Ratios of sums over utterances, for all of them and for every resample."""

    def __init__(self, num_utterances: int) -> None:
        self._num_utterances = num_utterances
        counts = Bootstrap(num_utterances).draw_counts(num_utterances)
        self._drawn: NDArray[np.int16] = counts.astype(np.int16)

    def of(self, utterances: NDArray[np.intp], parts: Floats64, wholes: Floats64) -> Interval | None:
        """Return the sum of ``parts`` per ``wholes``; None if there is nothing of which it were a share."""
        sums = self._sums(utterances, np.stack([parts, wholes], axis=1))
        part, whole = sums.sum(axis=0)
        if not whole:
            return None
        drawn = self._resampled(sums)
        with np.errstate(invalid="ignore"):
            return interval_of(part / whole, drawn[:, 0] / drawn[:, 1], int((sums[:, 1] > 0).sum()))

    def correlation(self, utterances: NDArray[np.intp], a: Floats64, b: Floats64) -> Interval | None:
        """Return Spearman's correlation; None where one of the two is all the same."""
        if a.size < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:  # noqa: PLR2004 - two always correlate
            return None
        from scipy.stats import rankdata  # noqa: PLC0415 - takes most of a second to load

        x, y = (rankdata(each) - (a.size + 1) / 2 for each in (a, b))
        sums = self._sums(utterances, np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1))
        value = float(_pearson(sums.sum(axis=0)[None])[0])
        return interval_of(value, _pearson(self._resampled(sums)), int((sums[:, 0] > 0).sum()))

    def _sums(self, utterances: NDArray[np.intp], columns: Floats64) -> Floats64:
        sums = np.zeros((self._num_utterances, columns.shape[1]))
        np.add.at(sums, utterances, columns)
        return sums

    def _resampled(self, sums: Floats64) -> Floats64:
        """Return the sums of every resample."""
        resampled: Floats64 = self._drawn.astype(float) @ sums
        return resampled


def _pearson(sums: Floats64) -> Floats64:
    """Return correlations from rows of n, Σx, Σy, Σx², Σy², Σxy; NaN where one of the two does not vary."""
    n, x, y, xx, yy, xy = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats64 = (n * xy - x * y) / np.sqrt((n * xx - x * x) * (n * yy - y * y))
    return found


def _criteria_of(inventory: Inventory) -> dict[str, Criterion]:
    """Return how each score compares two: as it votes, or else with its noise floor as margin and unit."""
    voting = {criterion.metric: criterion for criterion in inventory.criteria}
    return {
        name: voting.get(name)
        or Criterion(
            metric=name, better=output.better, margin=output.noise_floor, scale=output.noise_floor or 1.0
        )
        for name, output in inventory.outputs.items()
    }
