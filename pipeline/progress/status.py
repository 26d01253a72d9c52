"""How far a workspace is: read from what lies in it, while others may be filling it. Writes nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.progress.ticket_log import TicketLine
from pipeline.store.missing_values import missing_values, read_footer, statuses_of
from pipeline.store.table_store import TableStore
from pipeline.tables.inventory import Inventory, TableEntry
from schemas import NONDETERMINISTIC


@dataclass(frozen=True, slots=True)
class RetryableRow:
    """A row that may end differently when it is tried again."""

    table: str
    row: str
    reason: str


@dataclass
class TableStatus:
    """One table: shards and rows that are there, and how fast this run made them."""

    name: str
    num_shards: int
    done: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    num_bytes: int = 0
    retryable: list[RetryableRow] = field(default_factory=list)
    noted: int = 0
    """Tickets whose speed is known."""
    audio_s: float = 0.0
    """Of rows, each counted once."""
    work_s: float = 0.0
    load_s: float = 0.0
    """Bringing in models, once per worker; no part of ``work_s``."""
    peak_bytes: int = 0
    """What a worker and its children held at most."""

    @property
    def left(self) -> int:
        """Shards that are not there yet."""
        return self.num_shards - self.done

    @property
    def work_left_s(self) -> float | None:
        """Work to the end, or None while no ticket of this table was measured."""
        if not self.left:
            return 0.0
        return self.work_s / self.noted * self.left if self.noted else None

    def count_by_status(self) -> Counter[str]:
        """Return rows by status, reasons put together."""
        return statuses_of(self.counts)


class RunStatus:
    """All tables of a run."""

    def __init__(self, inventory: Inventory, store: TableStore, lines: Sequence[TicketLine]) -> None:
        self.inventory = inventory
        self._store = store
        self._lines = lines

    @cached_property
    def tables(self) -> tuple[TableStatus, ...]:
        """Every table, in the order in which they are made."""
        noted = _by_folder(self._lines)
        return tuple(
            self._table(entry, shards, noted.get(entry.folder, ()))
            for entry, shards in self.inventory.places()
        )

    @property
    def is_computed(self) -> bool:
        """Whether every shard is there."""
        return not any(table.left for table in self.tables)

    def left_s(self) -> float | None:
        """Return the expected time to the end at the pace of this run, or None while that is not known."""
        works = [table.work_left_s for table in self.tables]
        known = [work_s for work_s in works if work_s is not None]
        at_once = self._work_at_once()
        if len(known) < len(works) or at_once is None:
            return None
        return sum(known) / at_once

    def _work_at_once(self) -> float | None:
        """Return how many seconds of work this run does in a second."""
        began_s = self.inventory.started_at_s
        ours = [line for line in self._lines if line.finished_at_s >= began_s]
        if not ours:
            return None
        elapsed_s = max(line.finished_at_s for line in ours) - began_s
        return max(sum(line.work_s for line in ours) / max(elapsed_s, 1e-3), 1e-3)

    def _table(self, entry: TableEntry, shards: Sequence[str], lines: Sequence[TicketLine]) -> TableStatus:
        table = TableStatus(entry.name, len(shards))
        there = self._store.shards(entry.folder)
        for shard in shards:
            if shard in there:
                self._take_in(table, entry.folder, shard)
        table.noted = len(lines)
        table.audio_s = sum(line.audio_s for line in lines)
        table.work_s = sum(line.work_s for line in lines)
        table.load_s = sum(line.load_s for line in lines)
        table.peak_bytes = max((line.peak_bytes for line in lines), default=0)
        return table

    def _take_in(self, table: TableStatus, folder: str, shard: str) -> None:
        found = read_footer(self._store, folder, shard)
        if found is None:
            return
        table.done += 1
        table.counts.update(found.counts)
        table.num_bytes += found.num_bytes
        if found.may_be_nondeterministic:
            table.retryable.extend(_retryable_rows(table.name, self._store, folder, shard))


def group_tables(tables: Iterable[TableStatus]) -> dict[str, list[TableStatus]]:
    """Return tables by what makes them: a metric's scores of all models together, every other by itself."""
    groups: dict[str, list[TableStatus]] = {}
    for table in tables:
        # score.<metric>.<model>: neither name has a dot
        name = table.name.rpartition(".")[0] if table.name.startswith("score.") else table.name
        groups.setdefault(name, []).append(table)
    return groups


def _retryable_rows(name: str, store: TableStore, folder: str, shard: str) -> Iterator[RetryableRow]:
    found = {
        (end.row, end.reason): None
        for end in missing_values(store, folder, shard)
        if end.reason in NONDETERMINISTIC
    }
    return (RetryableRow(name, row, reason) for row, reason in found)


def _by_folder(lines: Sequence[TicketLine]) -> Mapping[str, list[TicketLine]]:
    found: defaultdict[str, list[TicketLine]] = defaultdict(list)
    for line in lines:
        found[line.folder].append(line)
    return found
