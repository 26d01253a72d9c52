"""Annotating real recordings: listed, restored and scored by the executors of a run, judged, written."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.annotation import ResolvedAnnotation
from pipeline.config.stand_ins import keep_stand_ins
from pipeline.dataset.annotation_files import (
    WrittenAnnotations,
    require_place_for_annotations,
    write_annotations,
)
from pipeline.execution.log_file import log_to
from pipeline.operations.tickets import MakeGraphExecutor, finish_tickets
from pipeline.progress.view import open_view
from pipeline.sources.given_files import shards_of_given
from pipeline.sources.shards import Shard
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.files import explain_full_disk
from pipeline.store.workspace import Workspace
from pipeline.tables.annotation import annotation_graph_of
from schemas import Source
from stages.operators.licences import is_allowed


@dataclass(frozen=True, slots=True)
class RealRecordings:
    """What is to be annotated, what is known of it, and where the annotations go."""

    paths: Sequence[str]
    out: Path
    language: str | None = None
    """Of recordings whose manifest states none."""
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class AnnotationResult:
    """What was written, and what that took."""

    written: WrittenAnnotations
    computed: int
    """Tickets that were done now; 0 if everything was there."""
    wall_s: float


def annotate_recordings(
    run: ResolvedAnnotation, given: RealRecordings, workspace: Workspace, make_executor: MakeGraphExecutor
) -> AnnotationResult:
    """Restore and score what is not done yet, and write all annotations.

    No failure stops it: a recording that gives no annotation has its reason. Raises ``ConfigError`` for
    recordings that cannot be listed or told apart, and ``UserError`` for an ``out`` that is something else.
    """
    started = time.monotonic()
    files = DatasetFiles(given.out)
    require_place_for_annotations(files)
    with explain_full_disk(workspace.root), workspace.hold(), open_view() as shown, log_to(workspace.log):
        workspace.remove_drafts()
        shards = _list_shards(run, given, workspace)
        keep_stand_ins(workspace.stand_ins, run.stand_ins)
        graph = annotation_graph_of(run, shards)
        computed = finish_tickets(workspace, graph, make_executor, shown)
        with explain_full_disk(files, "what was computed is kept"):
            written = write_annotations(run, graph, workspace.store, files)
    return AnnotationResult(written, computed, time.monotonic() - started)


def _list_shards(run: ResolvedAnnotation, given: RealRecordings, workspace: Workspace) -> list[Shard]:
    seconds = run.config.shard_seconds
    found = shards_of_given(given.paths, None, workspace, seconds, lambda _done, _total: None)
    return [
        Shard(shard.number, tuple(_state(source, run, given) for source in shard.sources)) for shard in found
    ]


def _state(source: Source, run: ResolvedAnnotation, given: RealRecordings) -> Source:
    """Return a source with what the command says of all that state nothing."""
    licence = source.licence or given.licence
    return source.model_copy(
        update={
            "language": source.language or given.language,
            "licence": licence,
            "licence_allowed": is_allowed(licence, run.config.allow_licences),
        }
    )
