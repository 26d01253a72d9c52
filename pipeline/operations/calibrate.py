"""Noise floors: how far each score moves on a run's own speech when nothing audible changes."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.config.resolve import MetricSetup, ResolvedConfig
from pipeline.execution.board import Board
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.tables.table import Table, TableReader
from pipeline.tables.tickets import Ticket
from schemas import Degraded, Recipe, Restored, Score, Take, TakeScores, WorkspaceError
from schemas.rows import CLEAN
from stages.audio.flac import decode_flac, encode_flac
from stages.calibration.perturbations import INAUDIBLE
from stages.score.stage import ScoreInput, ScoreStage

Tell = Callable[[str], None]
QUANTILE = 0.95
SHARDS = 4
"""Utterances come from so many shards, spread over all: the first may hold one speaker."""


@dataclass
class Movement:
    """What one score did: by how much each change moved it, and why some scores have no value."""

    moved: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in INAUDIBLE})
    missing: Counter[str] = field(default_factory=Counter)

    def quantile(self, change: str) -> float | None:
        """Return what the change moves the score by at most, 95 times out of 100; None if not measured."""
        found = self.moved[change]
        return float(np.quantile(found, QUANTILE)) if found else None

    @property
    def margin(self) -> float | None:
        """The largest of the four quantiles, or None if one could not be measured."""
        quantiles = [self.quantile(change) for change in INAUDIBLE]
        known = [value for value in quantiles if value is not None]
        return max(known) if len(known) == len(quantiles) else None


def measure_movements(
    run: ResolvedConfig, workspace: Workspace, num_utterances: int, worker: Worker, tell: Tell
) -> dict[str, Movement]:
    """Score degraded speech of a sample of utterances before and after each change.

    Metrics that need no clean reference are measured on the clean speech too; for the others that would
    compare it with itself, which says nothing of restorations.

    What it takes to get there, decoded and degraded speech of a few shards, is a run's own work and stays in
    the workspace.
    """
    with workspace.hold():
        graph = assemble(run, workspace)
        shards = _spread_shards(graph)
        _prepare(graph, worker, workspace, shards, tell)
        records = list(_sample(graph, worker.reader, shards, num_utterances))
    if not records:
        raise WorkspaceError("none of the speech could be degraded, so there is nothing to measure with")
    found: dict[str, Movement] = {}
    for setup in run.metrics:
        found.update(_measure_moves(setup, worker.reader, records, tell))
    return found


def _spread_shards(graph: Graph) -> list[str]:
    places = np.linspace(0, len(graph.shards) - 1, min(SHARDS, len(graph.shards))).round().astype(int)
    return [graph.shards[place].name for place in places]


def _prepare(graph: Graph, worker: Worker, workspace: Workspace, shards: Sequence[str], tell: Tell) -> None:
    """Bring the shards as far as degraded speech."""
    wanted: tuple[Table, ...] = (*graph.pools, graph.ingest, graph.plan, graph.degrade)
    tickets = [
        ticket
        for ticket in graph.tickets
        if ticket.table in wanted and (ticket.table in graph.pools or ticket.shard.name in shards)
    ]
    done = {(table.folder, shard) for table in wanted for shard in workspace.store.shards(table.folder)}
    board = Board(tickets, done)
    total = board.num_left

    def on_done(ticket: Ticket, _report: object) -> None:
        tell(f"speech: {ticket.name}, {board.num_left} of {total} left")

    LocalExecutor(worker).run(board, on_done)


def _sample(graph: Graph, reader: TableReader, shards: Sequence[str], wanted: int) -> Iterator[ScoreInput]:
    """Walk the first utterances of each shard, as many of each, with the changed copies as takes."""
    per_shard = -(-wanted // len(shards))
    left = wanted
    for shard in shards:
        rows = zip(reader.rows(graph.plan, shard), reader.rows(graph.degrade, shard), strict=True)
        firsts = {recipe.utterance_id: (recipe, degraded) for recipe, degraded in rows if degraded.is_ok}
        for recipe, degraded in list(firsts.values())[: min(per_shard, left)]:
            left -= 1
            yield from _walk_versions(recipe, degraded)


def _walk_versions(recipe: Recipe, degraded: Degraded) -> Iterator[ScoreInput]:
    """Yield the degraded side and the clean one as candidates: take 0 as it is, then each change."""
    for model, side in (("degraded", degraded.degraded), (CLEAN, degraded.clean)):
        if side is not None:
            heard = decode_flac(side)
            audio = [side, *(encode_flac(change(heard)) for change in INAUDIBLE.values())]
            takes = tuple(Take(take=number, audio=each) for number, each in enumerate(audio))
            yield ScoreInput(recipe, degraded, Restored(id=recipe.id, model=model, takes=takes))


def _measure_moves(
    setup: MetricSetup, reader: TableReader, records: Sequence[ScoreInput], tell: Tell
) -> Mapping[str, Movement]:
    found = {score: Movement() for score in setup.outputs}
    stage = ScoreStage(setup.name, setup.metric, reader.cache)
    stage.load("cpu")
    records = [r for r in records if r.restored.model != CLEAN or not setup.metric.needs_clean]
    done = 0
    for batch in stage.batches(records):
        for row in stage.process(batch):
            for score, movement in found.items():
                _note(movement, [_score(take, score) for take in row.takes])
        done += len(batch)
        tell(f"{setup.name}: {done} of {len(records)} recordings")
    return found


def _score(take: TakeScores, name: str) -> Score:
    return next(score for score in take.scores if score.name == name)


def _note(movement: Movement, scores: Sequence[Score]) -> None:
    """Take in the scores of one recording: as it was, and after each change."""
    before, *after = scores
    movement.missing.update(str(score.reason) for score in scores if score.value is None)
    for change, score in zip(INAUDIBLE, after, strict=True):
        if before.value is not None and score.value is not None:
            movement.moved[change].append(abs(score.value - before.value))
