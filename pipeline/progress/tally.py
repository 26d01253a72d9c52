"""What a run has come to so far: rows by outcome and speed, per table, and the failure budget.

What counts of restorations and scores are their takes: a model or metric that breaks on half of them has
failed on half, though every row may have a value.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.execution.worker import TicketResult
from pipeline.progress.ticket_log import TicketLine
from pipeline.store.missing_values import statuses_of
from pipeline.store.table_store import TableStore
from pipeline.tables.annotation import RealRestoreTable, RealScoreTable
from pipeline.tables.given import GivenScoreTable
from pipeline.tables.scores import ScoreTable
from pipeline.tables.speech import RestoreTable
from pipeline.tables.tickets import Ticket, TicketGraph
from schemas import BudgetExceededError, Status

_OF_TAKES = (RestoreTable, ScoreTable, GivenScoreTable, RealRestoreTable, RealScoreTable)
FORGIVEN = 3
"""Failures that never stop a run whose budget is above 0: one of 24 rows is more than 1 % too."""


@dataclass
class TableTally:
    """One table: tickets and rows done, and what they cost."""

    name: str
    num_tickets: int
    counts_takes: bool = False
    """Whether takes are counted: of restorations and scores, in place of rows."""
    done: int = 0
    fresh: int = 0
    """Tickets done by this run."""
    counts: Counter[str] = field(default_factory=Counter)
    audio_s: float = 0.0
    inside_s: float = 0.0
    wall_s: float = 0.0
    load_s: float = 0.0
    """Of ``wall_s``: bringing in models, once per worker."""
    earlier_s: float | None = None
    """What a ticket took in earlier runs, if that is known."""

    @property
    def ticket_s(self) -> float | None:
        """What a ticket takes, without loading: in this run, or else in earlier ones; None if unknown."""
        return (self.wall_s - self.load_s) / self.fresh if self.fresh else self.earlier_s

    @property
    def num_rows(self) -> int:
        """Rows, or takes, that are there."""
        return self.counts.total()

    @property
    def num_failed(self) -> int:
        """Rows, or takes, that broke."""
        return sum(n for outcome, n in self.counts.items() if outcome.startswith(Status.FAILED))

    @property
    def expected_rows(self) -> float:
        """Rows, or takes, of the whole table, by what its finished shards hold."""
        return self.num_rows / self.done * self.num_tickets if self.done else 0.0

    def count_by_status(self) -> Counter[str]:
        """Return rows by status, reasons put together."""
        return statuses_of(self.counts)


class Tally:
    """All tables of a run."""

    def __init__(self, graph: TicketGraph, budget: float | None) -> None:
        """``budget`` is the share that may fail; None if nothing is stopped by failures."""
        self._budget = budget
        self.last = ""
        """The ticket that was done last."""
        tickets = Counter(ticket.table.folder for ticket in graph.tickets)
        self.tables: dict[str, TableTally] = {
            table.folder: TableTally(
                table.name,
                tickets[table.folder],
                isinstance(table, _OF_TAKES),
            )
            for table in graph.tables
        }

    def recall(self, store: TableStore, graph: TicketGraph, shards: Mapping[str, Sequence[str]]) -> None:
        """Take in what earlier runs have finished, from what the shards say of themselves."""
        places = [(table.folder, shard) for table in graph.tables for shard in shards.get(table.folder, ())]
        said = store.for_each(store.metadata, places)
        for (folder, _), metadata in zip(places, said, strict=True):
            self.tables[folder].done += 1
            self.tables[folder].counts.update(metadata["counts"])

    def recall_speeds(self, lines: Sequence[TicketLine]) -> None:
        """Take in how fast tickets of the same tables went in earlier runs."""
        taken: dict[str, list[float]] = {}
        for line in lines:
            taken.setdefault(line.folder, []).append(line.work_s)
        for folder in taken.keys() & self.tables.keys():
            self.tables[folder].earlier_s = sum(taken[folder]) / len(taken[folder])

    def add(self, ticket: Ticket, result: TicketResult) -> None:
        """Take in a finished ticket; raises ``BudgetExceededError`` when too much has failed."""
        tally = self.tables[ticket.table.folder]
        tally.done += 1
        tally.fresh += 1
        tally.counts.update(result.counts)
        tally.audio_s += result.audio_s
        tally.inside_s += result.inside_s
        tally.wall_s += result.wall_s
        tally.load_s += result.load_s
        self.last = ticket.name
        self._check(tally)

    def check(self) -> None:
        """Raise ``BudgetExceededError`` if earlier runs have left too many failures."""
        for tally in self.tables.values():
            self._check(tally)

    def _check(self, tally: TableTally) -> None:
        if self._budget is None:
            return
        failed = tally.num_failed
        allowed = self._budget * tally.expected_rows
        limit = max(FORGIVEN, math.ceil(allowed)) if self._budget > 0 else 0
        if failed <= limit and not self._is_hopeless(tally):
            return
        reasons = [(n, outcome) for outcome, n in tally.counts.items() if outcome.startswith(Status.FAILED)]
        what = "takes" if tally.counts_takes else "rows"
        listed = ", ".join(
            f"{outcome.partition('/')[2]} × {n}" for n, outcome in sorted(reasons, reverse=True)
        )
        raise BudgetExceededError(
            f"{failed} of {tally.num_rows} {what} of {tally.name} failed, more than the failure budget of "
            f"{self._budget:.2%} allows: {listed}. The workspace's logs/ tell more. Mend the cause "
            "and run again with '--retry-failed any', or raise failure_budget"
        )

    @staticmethod
    def _is_hopeless(tally: TableTally) -> bool:
        """Whether everything in the first shards failed: no need to try the rest."""
        return tally.num_rows > FORGIVEN and tally.num_failed == tally.num_rows
