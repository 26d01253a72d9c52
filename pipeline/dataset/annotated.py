"""Reading finished tables of an annotation: recordings, takes with scores, and what became of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.dataset.candidates import Restoration
from pipeline.store.table_store import TableStore
from pipeline.tables.annotation import AnnotationGraph
from schemas import Ingested, Score, Segment, Take
from stages.prefer.annotation import AS_RECORDED, AnnotationRules, TakeVerdict, Verdict, sum_up
from stages.prefer.comparisons import CandidateScores
from stages.prefer.vetoes import CONFIDENCE, LENGTH_CHANGE

Scores = Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class JudgedTake:
    """One take with its scores, and what became of it."""

    restoration: Restoration
    verdict: TakeVerdict


@dataclass(frozen=True, slots=True)
class AnnotatedStretch:
    """A stretch of a recording, its scores, its takes, and what became of it."""

    segment: Segment
    as_it_is: Restoration
    """The recording itself, with its scores."""
    takes: tuple[JudgedTake, ...]
    verdict: TakeVerdict

    @property
    def chosen(self) -> JudgedTake | None:
        """The take that may stand for clean speech, if there is one."""
        return next((take for take in self.takes if take.verdict.verdict is Verdict.CHOSEN), None)


@dataclass(frozen=True, slots=True)
class AnnotatedRecording:
    """A recording and its stretches; without any, its row says why."""

    row: Ingested
    stretches: tuple[AnnotatedStretch, ...]


def read_annotated(
    graph: AnnotationGraph, store: TableStore, rules: AnnotationRules
) -> Iterator[AnnotatedRecording]:
    """Walk the recordings in the order of shards; the audio of one shard is in memory at a time."""
    for shard in graph.shards:
        scores = _scores(graph, store, shard.name)
        takes: defaultdict[str, list[tuple[str, Take]]] = defaultdict(list)
        for table in graph.restores:
            for restored in store.read(table.folder, shard.name, table.record):
                takes[restored.id] += [(restored.model, take) for take in restored.takes]
        for row in store.read(graph.ingest.folder, shard.name, graph.ingest.record):
            stretches = (_judge(each, takes[each.id], scores[each.id], rules) for each in row.segments)
            yield AnnotatedRecording(row, tuple(stretches))


def _scores(
    graph: AnnotationGraph, store: TableStore, shard: str
) -> Mapping[str, Mapping[tuple[str, int], dict[str, Score]]]:
    """Return all scores of a shard by stretch, model and take."""
    found: defaultdict[str, defaultdict[tuple[str, int], dict[str, Score]]]
    found = defaultdict(lambda: defaultdict(dict))
    for table in graph.scores:
        for row in store.read(table.folder, shard, table.record):
            for take in row.takes:
                found[row.id][row.model, take.take].update({score.name: score for score in take.scores})
    return found


def _judge(
    segment: Segment,
    takes: Sequence[tuple[str, Take]],
    scores: Mapping[tuple[str, int], dict[str, Score]],
    rules: AnnotationRules,
) -> AnnotatedStretch:
    """Return a stretch with a verdict on each take; what several models made alike is one take, the first."""
    of_recording = scores.get((AS_RECORDED, 0), {})
    missing = {place: why for place, why in enumerate(_why_missing(takes)) if why}
    sound = [place for place in range(len(takes)) if place not in missing]
    sides = [of_recording, *(scores.get((takes[p][0], takes[p][1].take), {}) for p in sound)]
    facts = [None, *(takes[place][1] for place in sound)]
    models = (AS_RECORDED, *(takes[place][0] for place in sound))
    values = {
        name: np.array([_value(name, *each) for each in zip(sides, facts, strict=True)])
        for name in rules.scores
    }
    candidates = CandidateScores(segment.id, models, range(len(models)), values)
    verdicts = dict(zip(sound, rules.judge(candidates) if sound else (), strict=True))
    judged = tuple(
        JudgedTake(
            Restoration(model, take, scores.get((model, take.take), {}), ()),
            verdicts.get(place) or TakeVerdict(Verdict.NO_AUDIO, missing[place]),
        )
        for place, (model, take) in enumerate(takes)
    )
    as_it_is = Restoration(AS_RECORDED, Take(take=0, audio=segment.audio), of_recording, ())
    return AnnotatedStretch(segment, as_it_is, judged, sum_up([each.verdict for each in judged]))


def _why_missing(takes: Sequence[tuple[str, Take]]) -> Iterator[str]:
    """Yield of each take why it is none; nothing where it is one."""
    first: dict[str, str] = {}
    for model, take in takes:
        name = f"{model}/{take.take}"
        if take.audio is None:
            yield str(take.reason)
        elif (other := first.setdefault(take.audio.digest, name)) != name:
            yield f"same audio as {other}"
        else:
            yield ""


def _value(name: str, scores: Scores, take: Take | None) -> float:
    """Return a score, or a fact of a take, as rules look at it; NaN where there is none."""
    if name == LENGTH_CHANGE:
        return 0.0 if take is None else take.length_change_s
    if name == CONFIDENCE:
        return np.nan if take is None or take.confidence is None else take.confidence
    score = scores.get(name)
    return np.nan if score is None or score.value is None else score.value
