"""Scoring files that are there already: listed, scored by the tables and executors of a run, written."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.panel import ResolvedPanel
from pipeline.config.stand_ins import keep_stand_ins
from pipeline.execution.log_file import log_to
from pipeline.operations.tickets import MakeGraphExecutor, finish_tickets
from pipeline.panel.score_rows import (
    UNANIMITY,
    GivenScores,
    columns_of_scores,
    walk_score_rows,
    with_unanimity,
)
from pipeline.progress.view import open_view
from pipeline.sources.given_files import shards_of_given
from pipeline.store.files import explain_full_disk
from pipeline.store.row_files import write_row_file
from pipeline.store.workspace import Workspace
from pipeline.tables.given import given_graph_of


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """What was said of the files."""

    rows: Sequence[GivenScores]
    scores: tuple[str, ...]
    """The names of the columns that hold scores."""
    computed: int
    """Tickets that were done now; 0 if everything was there."""
    wall_s: float


@dataclass(frozen=True, slots=True)
class GivenPaths:
    """What is to be scored, and where the scores go."""

    files: Sequence[str]
    clean: str | None
    out: Path


def score_given_files(
    panel: ResolvedPanel, given: GivenPaths, workspace: Workspace, make_executor: MakeGraphExecutor
) -> ScoreResult:
    """Score what is not scored yet, write all of it, and return it.

    No failure stops it: what has no score has a reason. Raises ``ConfigError`` for files that cannot be
    listed or told apart.
    """
    started = time.monotonic()
    with explain_full_disk(workspace), workspace.hold(), open_view() as shown, log_to(workspace.log):
        workspace.remove_drafts()
        seconds = panel.config.shard_seconds
        shards = shards_of_given(given.files, given.clean, workspace, seconds, lambda _done, _total: None)
        keep_stand_ins(workspace.stand_ins, panel.stand_ins)
        graph = given_graph_of(panel.metrics, shards)
        computed = finish_tickets(workspace, graph, make_executor, shown)
        rows: Sequence[GivenScores] = list(walk_score_rows(graph, workspace.store))
    scores = tuple(panel.outputs())
    if panel.criteria:
        rows, scores = with_unanimity(rows, panel.criteria, panel.vetoes), (*scores, UNANIMITY)
    write_row_file(given.out, rows, columns_of_scores(scores))
    return ScoreResult(rows, scores, computed, time.monotonic() - started)
