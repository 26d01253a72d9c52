"""The rows of a set of annotations: degraded recordings beside pseudo-clean takes, and every candidate."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.config.annotation import ResolvedAnnotation
from pipeline.config.nested_operators import network_licences_of
from pipeline.dataset.annotated import AnnotatedRecording, AnnotatedStretch, JudgedTake
from pipeline.dataset.licences import LicensedPart, strictest_of
from pipeline.dataset.rows import audio_cell_of, outcome_cells_of, take_cells_of
from pipeline.store.dataset_columns import (
    AUDIO,
    INTEGER,
    MARGIN,
    MISSING,
    NUMBER,
    OUTCOME,
    TAKE,
    TERMS,
    TEXT,
    Columns,
    columns_of_side,
)
from schemas import Ingested, Score
from stages.operators.metric import Better, Output
from stages.prefer.annotation import AS_RECORDED

ANNOTATIONS, CANDIDATES = "annotations", "candidates"
"""The two tables."""
DEGRADED, PSEUDO_CLEAN = "degraded", "pseudo_clean"
_STRETCH: Columns = {
    "source_id": TEXT,
    "corpus": TEXT,
    "name": TEXT,
    "offset_s": NUMBER,
    "split": TEXT,
    "speaker": TEXT,
    "transcript": TEXT,
    "language": TEXT,
    "sample_rate": INTEGER,
    "duration_s": NUMBER,
    "bandwidth_hz": NUMBER,
}
_VERDICT: Columns = {"verdict": TEXT, "verdict_detail": TEXT}
_Row = dict[str, Any]


class AnnotationRows:
    """Turns annotated recordings into rows."""

    def __init__(self, run: ResolvedAnnotation) -> None:
        self._outputs: Mapping[str, Output] = run.outputs()
        self.scores = tuple(self._outputs)
        self.without_reference = tuple(
            name for setup in run.metrics if not setup.metric.needs_clean for name in setup.outputs
        )
        """Those that the recording has too."""
        self._licences = {each.name: network_licences_of(each.restorer) for each in run.restorers}

    def columns_of(self, table: str) -> Columns:
        """Return the columns of a table."""
        numbers = dict.fromkeys(self.scores, NUMBER)
        shared = dict.fromkeys(self.without_reference, NUMBER)
        if table == CANDIDATES:
            head = {"candidate_id": TEXT, **_VERDICT, **OUTCOME, **_STRETCH, **TAKE}
            return {**head, **numbers, "missing_scores": MISSING}
        return {
            "annotation_id": TEXT,
            DEGRADED: AUDIO,
            PSEUDO_CLEAN: AUDIO,
            **_STRETCH,
            **TERMS,
            "degraded_digest": TEXT,
            **TAKE,
            "strength": NUMBER,
            **columns_of_side(DEGRADED, shared),
            **columns_of_side(PSEUDO_CLEAN, numbers),
            **columns_of_side(MARGIN, shared),
        }

    def of(self, recording: AnnotatedRecording) -> Iterator[tuple[str, _Row]]:
        """Walk the rows of a recording, each with its table."""
        for stretch in recording.stretches:
            if stretch.chosen is not None:
                yield ANNOTATIONS, self._annotation(recording.row, stretch, stretch.chosen)
        for row in self._candidates(recording):
            yield CANDIDATES, row

    def _annotation(self, source: Ingested, stretch: AnnotatedStretch, chosen: JudgedTake) -> _Row:
        take, model = chosen.restoration.take, chosen.restoration.model
        parts = [
            LicensedPart("speech", source.corpus, source.licence),
            *(LicensedPart("model", model, licence) for licence in self._licences[model]),
        ]
        ours, theirs = _values(chosen.restoration.scores), _values(stretch.as_it_is.scores)
        return {
            "annotation_id": stretch.segment.id,
            DEGRADED: audio_cell_of(stretch.segment.audio, f"{stretch.segment.id}/{DEGRADED}"),
            PSEUDO_CLEAN: audio_cell_of(take.audio, f"{stretch.segment.id}/{PSEUDO_CLEAN}"),
            **_stretch_columns_of(source, stretch),
            "licence": source.licence,
            "licences": [part._asdict() for part in parts],
            "row_licence": strictest_of(parts),
            "degraded_digest": stretch.segment.audio.digest,
            **_only(TAKE, take_cells_of(chosen.restoration)),
            "strength": chosen.verdict.strength,
            **columns_of_side(DEGRADED, {name: theirs.get(name) for name in self.without_reference}),
            **columns_of_side(PSEUDO_CLEAN, ours),
            **columns_of_side(MARGIN, self._margins(ours, theirs)),
        }

    def _margins(self, ours: Mapping[str, float | None], theirs: Mapping[str, float | None]) -> _Row:
        """Return by how much the take is better than the recording, whichever way scores improve."""
        found: _Row = {}
        for name in self.without_reference:
            a, b = ours.get(name), theirs.get(name)
            sign = 1 if self._outputs[name].better is Better.HIGHER else -1
            found[name] = None if a is None or b is None else sign * (a - b)
        return found

    def _candidates(self, recording: AnnotatedRecording) -> Iterator[_Row]:
        """Walk the stretches of a recording and their takes; a recording without any is a row too."""
        source = recording.row
        if not recording.stretches:
            yield {
                **_stretch_columns_of(source, None),
                "candidate_id": source.id,
                "model": AS_RECORDED,
                **outcome_cells_of(source),
            }
        for stretch in recording.stretches:
            common = _stretch_columns_of(source, stretch)
            sides = [(stretch.as_it_is, stretch.verdict)]
            for restoration, verdict in [*sides, *((e.restoration, e.verdict) for e in stretch.takes)]:
                yield {
                    **common,
                    **take_cells_of(restoration),
                    "candidate_id": f"{stretch.segment.id}/{restoration.model}/{restoration.take.take}",
                    "verdict": str(verdict.verdict),
                    "verdict_detail": verdict.detail,
                    **outcome_cells_of(restoration.take),
                }


def _stretch_columns_of(source: Ingested, stretch: AnnotatedStretch | None) -> _Row:
    """Return what all rows of a stretch say of it; of a recording without any, what is known."""
    known = {"corpus", "name", "split", "speaker", "transcript", "language"}
    said = source.model_dump(mode="json", include=known) | {"source_id": source.id}
    if stretch is None:
        return said
    audio, probe = stretch.segment.audio, stretch.segment.probe
    measured = {"sample_rate": audio.sample_rate, "duration_s": audio.duration_s}
    return {**said, **measured, "offset_s": stretch.segment.offset_s, "bandwidth_hz": probe.bandwidth_hz}


def _values(scores: Mapping[str, Score]) -> dict[str, float | None]:
    return {name: score.value for name, score in scores.items()}


def _only(columns: Columns, cells: _Row) -> _Row:
    return {name: cells[name] for name in columns}
