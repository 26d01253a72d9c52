"""A set of annotations on disk: two tables, a card, and what it says of itself."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.annotation import ResolvedAnnotation
from pipeline.dataset.annotated import AnnotatedRecording, read_annotated
from pipeline.dataset.annotation_card import write_annotation_card
from pipeline.dataset.annotation_description import (
    ANNOTATION_MARK,
    AnnotationDescription,
    ScoreGain,
)
from pipeline.dataset.annotation_rows import ANNOTATIONS, CANDIDATES, DEGRADED, PSEUDO_CLEAN, AnnotationRows
from pipeline.dataset.background import Background
from pipeline.dataset.description import CARD
from pipeline.dataset.provenance import metric_facts_of, model_facts_of
from pipeline.dataset.writer import FileLimits, SplitFiles, TableWriter
from pipeline.store.dataset_columns import columns_schema_of
from pipeline.store.dataset_files import LICENCE_FILE, DatasetFiles
from pipeline.store.table_store import TableStore
from pipeline.tables.annotation import AnnotationGraph
from schemas import Split, UserError, fingerprint_of
from stages.operators.licences import most_restrictive_of
from stages.prefer.annotation import ANNOTATION_VERSION

_FILES_VERSION = 1
_CUT = FileLimits(file_mb=500, row_group_mb=100)
_OURS = frozenset((ANNOTATION_MARK, CARD, LICENCE_FILE, ANNOTATIONS, CANDIDATES))


@dataclass(frozen=True, slots=True)
class RecordingVerdict:
    """What became of a stretch of a recording, or of a recording that gave none."""

    id: str
    verdict: str
    """A verdict on takes, or the reason for which a recording was refused."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WrittenAnnotations:
    """What was written, and what became of each recording."""

    description: AnnotationDescription
    verdicts: Sequence[RecordingVerdict]


def require_place_for_annotations(dataset: DatasetFiles) -> None:
    """Raise ``UserError`` if something else than an earlier set of annotations is there."""
    if not dataset.is_taken:
        return
    foreign = sorted(set(dataset.names()) - _OURS)
    if not dataset.is_there or foreign or (dataset.names() and not dataset.holds(ANNOTATION_MARK)):
        held = f" and holds {foreign[0]!r}" if foreign else ""
        raise UserError(f"{dataset} is there already{held}, and is no set of annotations; give another --out")


def write_annotations(
    run: ResolvedAnnotation, graph: AnnotationGraph, store: TableStore, dataset: DatasetFiles
) -> WrittenAnnotations:
    """Write the annotations whole, in the place of earlier ones, and return what became of whom."""
    require_place_for_annotations(dataset)
    dataset.make_parent()
    with dataset.replaced() as draft:
        described, verdicts = _write_tables(run, graph, store, draft.folder)
        rows = AnnotationRows(run)
        card, terms = write_annotation_card(described, rows)
        draft.write(CARD, card)
        if terms is not None:
            draft.write(LICENCE_FILE, terms)
        draft.write(ANNOTATION_MARK, described.model_dump_json(indent=1))
    return WrittenAnnotations(described, verdicts)


def _write_tables(
    run: ResolvedAnnotation, graph: AnnotationGraph, store: TableStore, folder: Path
) -> tuple[AnnotationDescription, Sequence[RecordingVerdict]]:
    rows = AnnotationRows(run)
    counts = _Counts(rows.without_reference)
    about = {
        "criteria": [criterion.model_dump(mode="json") for criterion in run.rules.criteria],
        "metrics": [metric.model_dump(mode="json") for metric in metric_facts_of(run)],
        "models": [model.model_dump(mode="json") for model in model_facts_of(run)],
    }
    with Background() as background:
        writers = {
            table: TableWriter(
                folder / table, columns_schema_of(rows.columns_of(table), None, about), _CUT, background
            )
            for table in (ANNOTATIONS, CANDIDATES)
        }
        for recording in read_annotated(graph, store, run.rules):
            counts.add(recording)
            for table, row in rows.of(recording):
                writers[table].add(row)
                if table == ANNOTATIONS:
                    counts.add_annotation(row)
        for writer in writers.values():
            writer.finish()
        files = {table: writer.close() for table, writer in writers.items()}
    return _describe(run, graph, files, counts), counts.verdicts


class _Counts:
    """Running sums over recordings, in one pass."""

    def __init__(self, scores: Sequence[str]) -> None:
        self.recordings = 0
        self.verdicts: list[RecordingVerdict] = []
        self.licences: Counter[str] = Counter()
        self.languages: set[str] = set()
        self._scores = scores
        self._sums: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    def add(self, recording: AnnotatedRecording) -> None:
        """Take in a recording."""
        self.recordings += 1
        row = recording.row
        if not recording.stretches:
            self.verdicts.append(RecordingVerdict(row.id, str(row.reason), row.detail))
        for each in recording.stretches:
            verdict = each.verdict
            self.verdicts.append(RecordingVerdict(each.segment.id, str(verdict.verdict), verdict.detail))

    def add_annotation(self, row: Mapping[str, object]) -> None:
        """Take in a row of the annotations."""
        self.licences[str(row["row_licence"])] += 1
        if row["language"]:
            self.languages.add(str(row["language"]))
        for score in self._scores:
            before, after = row[f"{DEGRADED}_{score}"], row[f"{PSEUDO_CLEAN}_{score}"]
            if isinstance(before, float) and isinstance(after, float):
                self._sums[score].append((before, after))

    @property
    def gains(self) -> tuple[ScoreGain, ...]:
        """Return the means of both sides over the annotations that have the score."""
        return tuple(
            ScoreGain(
                name=score,
                annotations=len(of),
                degraded=sum(before for before, _ in of) / len(of),
                pseudo_clean=sum(after for _, after in of) / len(of),
            )
            for score in self._scores
            if (of := self._sums.get(score))
        )


def _describe(
    run: ResolvedAnnotation,
    graph: AnnotationGraph,
    files: Mapping[str, dict[Split, SplitFiles]],
    counts: _Counts,
) -> AnnotationDescription:
    criteria, vetoes = tuple(run.rules.criteria), tuple(run.rules.vetoes)
    key = fingerprint_of(
        {
            "version": [_FILES_VERSION, ANNOTATION_VERSION],
            "tables": [table.key for table in graph.tables],
            "criteria": [each.model_dump(mode="json") for each in criteria],
            "vetoes": [each.model_dump(mode="json") for each in vetoes],
            "shards": [shard.name for shard in graph.shards],
        }
    )
    return AnnotationDescription(
        key=key,
        name=run.config.name,
        config_hash=run.config_hash,
        stand_ins=run.config.stand_ins,
        tables=dict(files),
        recordings=counts.recordings,
        verdicts=dict(Counter(each.verdict for each in counts.verdicts).most_common()),
        gains=counts.gains,
        models=model_facts_of(run),
        metrics=metric_facts_of(run),
        criteria=criteria,
        vetoes=vetoes,
        licence=most_restrictive_of(counts.licences) if counts.licences else None,
        licences=dict(sorted(counts.licences.items())),
        languages=tuple(sorted(counts.languages)),
        corpora=tuple(sorted({source.corpus for shard in graph.shards for source in shard.sources})),
    )
