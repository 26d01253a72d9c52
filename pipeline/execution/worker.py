"""What a worker does with a ticket: read, process record by record, commit. The same under every executor."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from pipeline.execution.peak_memory import forget_peaks, peak_bytes, peak_gpu_bytes
from pipeline.store.files import explain_full_disk
from pipeline.store.journal import OpenJournal
from pipeline.store.table_store import counts_of
from pipeline.store.workspace import Workspace
from pipeline.tables.table import Table, TableReader
from pipeline.tables.tickets import Ticket
from schemas import IntegrityError, Outcome, Reason, Row, RunError, Status
from stages.runtime.attempt import attempt
from stages.score.stage import ScoreStage
from stages.stage import ModelTime, Stage


@dataclass(frozen=True, slots=True)
class TicketResult:
    """What one ticket came to."""

    counts: Mapping[str, int]
    audio_s: float
    inside_s: float
    """Time inside the stage: degrade, restore or score, with decoding, resampling and encoding."""
    wall_s: float
    load_s: float = 0.0
    model: ModelTime = field(default_factory=ModelTime)
    """Of ``inside_s``: inside a restoration model itself."""
    peak_bytes: int = 0
    """What the worker and its children held at most, models that it keeps included."""
    peak_gpu_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record that has killed a worker before."""

    id: str
    reason: Reason
    detail: str = ""


class Worker:
    """Does tickets, one after the other, and keeps what it has loaded and decoded."""

    def __init__(
        self,
        workspace: Workspace,
        device: str = "cpu",
        arrange: Callable[[list[Any]], list[Any]] = list,
        check_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """``arrange`` is the order in which records are processed; the rows do not depend on it.

        ``check_stop`` raises if the worker was told to stop meanwhile; what was made since is then not kept.
        """
        self._arrange = arrange
        self._check_stop = check_stop
        self._backwards = cycle((False, True))
        self._workspace = workspace
        self._store = workspace.store
        self.reader = TableReader(self._store)
        self._journals = workspace.journals
        self._device = device
        self._stages: dict[str, Stage[Any, Any]] = {}

    def run(self, ticket: Ticket, excluded: Sequence[Suspect] = (), *, alone: bool = False) -> TicketResult:
        """Make the shard of the ticket and commit it; records in ``excluded`` are failed, not tried.

        ``alone`` processes records one by one, so that the one that kills the worker is known.
        Raises ``RunError`` for what the next record would meet too; the shard is then not written.
        """
        with explain_full_disk(self._workspace):
            return self._run(ticket, excluded, alone=alone)

    def _run(self, ticket: Ticket, excluded: Sequence[Suspect], *, alone: bool) -> TicketResult:
        started = time.perf_counter()
        forget_peaks()
        stage, load_s = self._stage(ticket.table)
        before = stage.model_time
        inputs = ticket.table.inputs(ticket.shard, self.reader)
        with self._journals.begin(ticket.place) as journal:
            finished = self._journals.read_finished(ticket.place)
            have = {**_fail_excluded(stage, inputs, excluded), **finished}
            todo = self._order_records(
                stage, [record for record in inputs if stage.name_of(record) not in have]
            )
            batches = ([record] for record in todo) if alone else stage.batches(todo)
            inside_s = self._process(stage, ticket, batches, journal, have, left=len(todo))
        rows = [have[stage.name_of(record)] for record in inputs]
        self._commit(ticket, rows)
        self._journals.remove(ticket.place)
        audio_s = sum(_duration_of(record) for record in inputs)
        return TicketResult(
            counts_of(rows),
            audio_s,
            inside_s,
            time.perf_counter() - started,
            load_s,
            model=stage.model_time - before,
            peak_bytes=peak_bytes(),
            peak_gpu_bytes=peak_gpu_bytes(),
        )

    def _process(
        self,
        stage: Stage[Any, Any],
        ticket: Ticket,
        batches: Iterable[Sequence[Any]],
        journal: OpenJournal,
        have: dict[str, Row],
        *,
        left: int,
    ) -> float:
        """Add the rows of all batches to ``have``, noting each before and after; return the time inside.

        Of the last batch only that it is done is noted: the shard itself is written next.
        """
        inside_s = 0.0
        for batch in batches:
            journal.note_begun([stage.name_of(record) for record in batch])
            started = time.perf_counter()
            rows = list(process_batch(stage, batch, ticket.name))
            inside_s += time.perf_counter() - started
            self._check_stop()
            left -= len(batch)
            journal.note_done(rows if left else ())
            have.update({row.id: row for row in rows})
        return inside_s

    def _order_records(self, stage: Stage[Any, Any], records: list[Any]) -> list[Any]:
        """Return the order in which ``records`` are processed; metrics walk a shard to and fro.

        Of audio that does not all fit into memory, the next one then finds what the last one heard last.
        """
        ordered = self._arrange(records)
        return ordered[::-1] if isinstance(stage, ScoreStage) and next(self._backwards) else ordered

    def _stage(self, table: Table) -> tuple[Stage[Any, Any], float]:
        name = table.stage_name
        if name in self._stages:
            return self._stages[name], 0.0
        started = time.perf_counter()
        stage = table.stage(self.reader)
        device = self._device if table.gpus else "cpu"
        loaded = attempt(f"loading {table.name}", lambda: stage.load(device))
        self._check_stop()
        if not loaded.outcome.is_ok:
            raise RunError(
                f"{table.name} cannot be loaded: {loaded.outcome.detail}; the workspace's logs/ tell more"
            )
        self._stages[name] = stage
        return stage, time.perf_counter() - started

    def _commit(self, ticket: Ticket, rows: Sequence[Row]) -> None:
        if len({row.id for row in rows}) != len(rows):
            raise IntegrityError(f"{ticket.name}: two rows have one id")
        table = ticket.table
        spec = {"key": table.key, "spec": table.spec, "counts": counts_of(rows)}
        self._store.put_arrow(table.folder, ticket.shard.name, table.record, table.arrow(rows), spec)


def _fail_excluded(
    stage: Stage[Any, Any], inputs: Sequence[Any], excluded: Sequence[Suspect]
) -> dict[str, Row]:
    """Return the rows of records that have killed workers: they are not tried again."""
    dead = {suspect.id: suspect for suspect in excluded}
    rows = {}
    for record in inputs:
        if suspect := dead.get(stage.name_of(record)):
            outcome = Outcome(status=Status.FAILED, reason=suspect.reason, detail=suspect.detail)
            rows[suspect.id] = stage.without_value(record, outcome)
    return rows


def process_batch(stage: Stage[Any, Any], batch: Sequence[Any], where: str) -> Iterator[Row]:
    """Process a batch; if it breaks, each record alone: a bad one does not take its neighbours along."""
    tried = attempt(f"{where} {stage.name_of(batch[0])}", lambda: stage.process(batch))
    if tried.value is not None:
        yield from tried.value
    elif len(batch) > 1:
        for record in batch:
            yield from process_batch(stage, [record], where)
    else:
        yield stage.without_value(batch[0], tried.outcome)


def _duration_of(record: Any) -> float:
    """Return how much audio a record is about, as far as it says."""
    for name in ("recipe", "segment", "degraded", "audio"):
        inner = getattr(record, name, None)
        if inner is not None:
            return _duration_of(inner)
    return float(getattr(record, "duration_s", 0.0) or 0.0)
