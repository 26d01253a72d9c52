"""The order of work: which ticket a worker is given next."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from pipeline.execution.ready_tickets import ReadyTickets, WaitingTicket
from pipeline.store.table_store import TableStore
from pipeline.tables.tickets import (
    CPU,
    POOL_SHARD_NUMBER,
    ShardPlace,
    Ticket,
    TicketGraph,
    is_pool,
    shard_number_of,
)

OPEN_SHARDS = 32
"""How many unfinished shards are open for work at a time, if that keeps all workers busy."""
SHARDS_PER_WORKER = 2
"""How many are open for each worker that is at work, if there are more of these."""


@dataclass
class WorkerState:
    """What the board knows of one worker: what it has loaded and read, to give it more of the same."""

    resource: str | None = CPU
    """The class of ticket it can do; None if it does any."""
    loaded: set[str] = field(default_factory=set)
    last_read: frozenset[ShardPlace] = frozenset()

    def notice(self, ticket: Ticket) -> None:
        """Remember what doing ``ticket`` leaves in the worker's memory."""
        self.loaded.add(ticket.table.stage_name)
        self.last_read = ticket.needs


class Board:
    """All tickets of a run: done, given out, waiting. What it looks at does not grow with the run."""

    def __init__(self, tickets: Sequence[Ticket], done: Iterable[ShardPlace]) -> None:
        self.tickets = tuple(tickets)
        self._done = set(done)
        self._given: dict[ShardPlace, WaitingTicket] = {}
        self._took_s: dict[str, float] = {}
        waiting: dict[int, list[Ticket]] = {}
        for ticket in tickets:
            if ticket.place not in self._done:
                waiting.setdefault(shard_number_of(ticket), []).append(ticket)
        self._closed = deque(waiting[number] for number in sorted(waiting))
        self._open: dict[int, int] = {}
        """Shards that are open for work, and how many tickets of each wait."""
        self._unready: dict[int, dict[ShardPlace, WaitingTicket]] = {}
        self._ready = ReadyTickets()
        self._waiting = Counter(ticket.resource for shard in waiting.values() for ticket in shard)
        self._first = min((shard_number_of(t) for t in tickets if not is_pool(t)), default=0)

    @classmethod
    def of(cls, graph: TicketGraph, store: TableStore) -> Self:
        """Return the tickets of a run, those whose shard exists marked as done."""
        done = {(table.folder, shard) for table in graph.tables for shard in store.shards(table.folder)}
        return cls(graph.tickets, done)

    @property
    def num_left(self) -> int:
        """Tickets that are not done."""
        return self._waiting.total() + len(self._given)

    @property
    def given(self) -> Sequence[Ticket]:
        """Tickets that somebody is working on."""
        return tuple(waiting.ticket for waiting in self._given.values())

    def is_done(self, ticket: Ticket) -> bool:
        """Whether the ticket's shard is in its table."""
        return ticket.place in self._done

    def count_waiting(self) -> Counter[str]:
        """Count waiting tickets, ready or not, per class of worker."""
        return +self._waiting

    def count_ready(self) -> Counter[str]:
        """Count tickets that could be given out now, per class of worker."""
        self._open_shards()
        return +self._ready.counts

    def take(self, worker: WorkerState) -> Ticket | None:
        """Give out the best ready ticket for the worker, or None if there is none now.

        Pools and the first shard go first (smoke test, measured speeds); then what the worker has loaded;
        then the oldest shard; then what takes longest, so that the run does not end with it; then what reads
        the audio that the worker has just decoded.
        """
        self._open_shards()
        best = self._ready.best(
            worker.resource,
            lambda stage, number: (
                number not in {POOL_SHARD_NUMBER, self._first},
                stage not in worker.loaded,
                number,
                -self._took_s.get(stage, 0.0),
            ),
            worker.last_read,
        )
        if best is None:
            return None
        self._ready.remove(best)
        self._given[best.ticket.place] = best
        self._waiting[best.ticket.resource] -= 1
        self._open[best.number] -= 1
        if not self._open[best.number]:
            del self._open[best.number]
            self._unready.pop(best.number, None)
        return best.ticket

    def finish(self, ticket: Ticket, took_s: float = 0.0) -> None:
        """Note that the ticket's shard is in its table, and what it took."""
        self._took_s[ticket.table.stage_name] = took_s
        number = self._given.pop(ticket.place).number
        self._done.add(ticket.place)
        for shard in tuple(self._unready) if number == POOL_SHARD_NUMBER else (number,):
            self._find_ready(shard)

    def give_back(self, ticket: Ticket) -> None:
        """Put a ticket back: its worker is gone."""
        waiting = self._given.pop(ticket.place)
        self._ready.add(waiting)
        self._waiting[ticket.resource] += 1
        self._open[waiting.number] = self._open.get(waiting.number, 0) + 1

    def _open_shards(self) -> None:
        """Open the oldest shards for work; later ones wait for their turn, unless workers would go idle."""
        most = max(OPEN_SHARDS, SHARDS_PER_WORKER * len(self._given))
        while self._closed and len(self._open) < most:
            tickets = self._closed.popleft()
            found = [WaitingTicket.of(ticket, index) for index, ticket in enumerate(tickets)]
            number = found[0].number
            self._open[number] = self._open.get(number, 0) + len(found)
            self._unready[number] = {waiting.ticket.place: waiting for waiting in found}
            self._find_ready(number)

    def _find_ready(self, number: int) -> None:
        """Move the tickets of an open shard whose needs are met to those that are ready."""
        unready = self._unready.get(number, {})
        for waiting in [waiting for waiting in unready.values() if waiting.needs <= self._done]:
            del unready[waiting.ticket.place]
            self._ready.add(waiting)
