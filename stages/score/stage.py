"""Score: one metric's opinion of every take of one model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from schemas import BrokenError, Degraded, Outcome, Reason, Recipe, Restored, Scored, Status, Take
from stages.audio.cache import AudioCache
from stages.operators.metric import Comparison, Measured, Metric
from stages.runtime.attempt import Attempt, attempt
from stages.score.inputs import MetricInputs, Prepared
from stages.score.isolated_metric import IsolatedMetric
from stages.score.rows import NO_VALUE_UPSTREAM, ScoreRows, TakeResult
from stages.stage import Stage

VERSION = 6
"""Rises when the same records and settings would give other rows."""

SCORING_LEVEL_DB = -26.0
"""Active level in dBFS (ITU-T P.56) at which metrics that depend on level hear both sides."""

COMPARISONS_PER_BATCH = 16
SECONDS_AT_ONCE = 1_200.0
"""Of candidates that are held ready together: some 230 MB at 48 kHz. A longer one is alone."""


@dataclass(frozen=True, slots=True)
class ScoreInput:
    """One degraded utterance and what one model made of it."""

    recipe: Recipe
    degraded: Degraded
    restored: Restored


class ScoreStage(Stage[ScoreInput, Scored]):
    """Hands takes to a metric as it wants them: rate, level and length are the stage's business.

    Metrics that depend on level get both sides at ``level_db`` dBFS active level (ITU-T P.56); those that
    declare it run in a child process, which may take ``timeout_s`` seconds for one comparison. A GPU hears
    several takes together; a CPU one after the other, so that no neighbour moves a bit.
    """

    def __init__(
        self,
        name: str,
        metric: Metric,
        cache: AudioCache,
        level_db: float = SCORING_LEVEL_DB,
        timeout_s: float = 120.0,
    ) -> None:
        self._name = name
        self._rows = ScoreRows(name, tuple(metric.outputs))
        self._metric = metric
        self._inputs = MetricInputs(metric, cache, level_db)
        self._scorer = IsolatedMetric(metric, timeout_s) if metric.isolated else metric
        self._score = self._scorer.score

    def load(self, device: str) -> None:
        """Load the metric, in its own process if it asks for one."""
        self._scorer.load(device)
        if device.startswith("cuda") and isinstance(self._scorer, Metric):
            self._score = self._scorer.score_together

    def name_of(self, record: ScoreInput) -> str:
        """Return the id of the degraded utterance."""
        return record.restored.id

    def batches(self, records: Sequence[ScoreInput]) -> Iterator[Sequence[ScoreInput]]:
        """Group whole records until they hold some 16 comparisons."""
        batch: list[ScoreInput] = []
        held = 0
        for record in records:
            comparisons = sum(take.audio is not None for take in record.restored.takes)
            if batch and held + comparisons > COMPARISONS_PER_BATCH:
                yield tuple(batch)
                batch, held = [], 0
            batch.append(record)
            held += comparisons
        if batch:
            yield tuple(batch)

    def process(self, batch: Sequence[ScoreInput]) -> Sequence[Scored]:
        """Score all takes of all records, in one call of the metric unless they are long.

        Returns one row per record, in order.
        """
        works = [_Work(self._name, record, take) for record in batch for take in record.restored.takes]
        results = iter([result for group in _groups(works) for result in self._results(group)])
        return [
            self._rows.row(record.restored, [next(results) for _ in record.restored.takes])
            for record in batch
        ]

    def without_value(self, record: ScoreInput, outcome: Outcome) -> Scored:
        """Return a row in which every take has ``outcome`` for every output."""
        return self._rows.row_without_value(record.restored, outcome)

    def _results(self, works: Sequence["_Work"]) -> list[TakeResult]:
        prepared = [self._prepare(work) for work in works]
        ready = [(work.name, each.value) for work, each in zip(works, prepared, strict=True) if each.value]
        names, comparisons = [name for name, _ in ready], [each.comparison for _, each in ready]
        measured = iter(self._measure(names, comparisons))
        return [
            _result(next(measured), each.value) if each.value else TakeResult(each.outcome)
            for each in prepared
        ]

    def _measure(self, names: Sequence[str], comparisons: Sequence[Comparison]) -> list[Measured | Outcome]:
        """Ask for all at once, and one by one if that raised."""
        if not comparisons:
            return []
        together = attempt(", ".join(names), partial(self._measure_given, comparisons))
        if together.value is not None:
            return list(together.value)
        if len(comparisons) == 1:
            return [together.outcome]
        alone = [self._measure((name,), (each,)) for name, each in zip(names, comparisons, strict=True)]
        return [result for results in alone for result in results]

    def _measure_given(self, comparisons: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        results = self._score(comparisons)
        if len(results) != len(comparisons):
            raise BrokenError(Reason.ERROR, f"{len(results)} results for {len(comparisons)} comparisons")
        return results

    def _prepare(self, work: "_Work") -> Attempt[Prepared]:
        audio, degraded = work.take.audio, work.record.degraded
        if audio is None or not degraded.is_ok:
            return Attempt(_skip_outcome_of(work.take))
        return attempt(work.name, lambda: self._inputs.prepare(audio, degraded.clean, work.record.recipe))


@dataclass(frozen=True, slots=True)
class _Work:
    """One take to be scored."""

    metric: str
    record: ScoreInput
    take: Take

    @property
    def name(self) -> str:
        """What it is called in the log."""
        return f"{self.metric} of {self.record.restored.id}, {self.record.restored.model} {self.take.take}"

    @property
    def duration_s(self) -> float:
        """Of the audio; nothing where there is none."""
        return 0.0 if self.take.audio is None else self.take.audio.duration_s


def _groups(works: Sequence[_Work]) -> Iterator[Sequence[_Work]]:
    """Yield ``works`` in runs whose audio is held ready together: many takes of ten minutes are gigabytes."""
    group: list[_Work] = []
    held_s = 0.0
    for work in works:
        if group and held_s + work.duration_s > SECONDS_AT_ONCE:
            yield tuple(group)
            group, held_s = [], 0.0
        group.append(work)
        held_s += work.duration_s
    if group:
        yield tuple(group)


def _result(measured: Measured | Outcome, prepared: Prepared) -> TakeResult:
    return TakeResult(measured, prepared.gain_db, prepared.clean_gain_db, prepared.lag_samples)


def _skip_outcome_of(take: Take) -> Outcome:
    if take.reason is Reason.DUPLICATE_TAKE:
        return Outcome(status=Status.SKIPPED, reason=Reason.DUPLICATE_TAKE)
    return NO_VALUE_UPSTREAM
