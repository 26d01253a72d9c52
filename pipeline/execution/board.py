"""The order of work: which ticket a worker is given next."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

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
"""How many unfinished shards are open for work at a time."""


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
    """All tickets of a run: done, given out, waiting."""

    def __init__(self, tickets: Sequence[Ticket], done: Iterable[ShardPlace]) -> None:
        self.tickets = tuple(tickets)
        self._done = set(done)
        self._given: dict[ShardPlace, Ticket] = {}
        self._took_s: dict[str, float] = {}
        self._order = {ticket.place: index for index, ticket in enumerate(tickets)}
        self._waiting: dict[int, dict[ShardPlace, Ticket]] = {}
        for ticket in sorted(tickets, key=shard_number_of):
            if ticket.place not in self._done:
                self._waiting.setdefault(shard_number_of(ticket), {})[ticket.place] = ticket
        self._first = min((shard_number_of(t) for t in tickets if not is_pool(t)), default=0)

    @classmethod
    def of(cls, graph: TicketGraph, store: TableStore) -> Self:
        """Return the tickets of a run, those whose shard exists marked as done."""
        done = {(table.folder, shard) for table in graph.tables for shard in store.shards(table.folder)}
        return cls(graph.tickets, done)

    @property
    def num_left(self) -> int:
        """Tickets that are not done."""
        return sum(map(len, self._waiting.values())) + len(self._given)

    @property
    def given(self) -> Sequence[Ticket]:
        """Tickets that somebody is working on."""
        return tuple(self._given.values())

    def is_done(self, ticket: Ticket) -> bool:
        """Whether the ticket's shard is in its table."""
        return ticket.place in self._done

    def count_waiting(self) -> Counter[str]:
        """Count waiting tickets, ready or not, per class of worker."""
        return Counter(t.resource for shard in self._waiting.values() for t in shard.values())

    def count_ready(self) -> Counter[str]:
        """Count tickets that could be given out now, per class of worker."""
        return Counter(ticket.resource for ticket in self._open() if ticket.needs <= self._done)

    def take(self, worker: WorkerState) -> Ticket | None:
        """Give out the best ready ticket for the worker, or None if there is none now.

        Pools and the first shard go first (smoke test, measured speeds); then what the worker has loaded;
        then the oldest shard; then what takes longest, so that the run does not end with it; then what reads
        the audio that the worker has just decoded.
        """
        ready = [t for t in self._open() if worker.resource in {None, t.resource} and t.needs <= self._done]
        if not ready:
            return None
        best = min(ready, key=lambda ticket: self._urgency(ticket, worker))
        self._given[best.place] = best
        number = shard_number_of(best)
        del self._waiting[number][best.place]
        if not self._waiting[number]:
            del self._waiting[number]
        return best

    def finish(self, ticket: Ticket, took_s: float = 0.0) -> None:
        """Note that the ticket's shard is in its table, and what it took."""
        self._took_s[ticket.table.stage_name] = took_s
        del self._given[ticket.place]
        self._done.add(ticket.place)

    def give_back(self, ticket: Ticket) -> None:
        """Put a ticket back: its worker is gone."""
        del self._given[ticket.place]
        self._waiting.setdefault(shard_number_of(ticket), {})[ticket.place] = ticket

    def _open(self) -> Iterator[Ticket]:
        """Walk the waiting tickets of pools and of the oldest shards: later ones wait for their turn."""
        oldest = sorted(self._waiting)[:OPEN_SHARDS]
        return (ticket for number in oldest for ticket in self._waiting[number].values())

    def _urgency(self, ticket: Ticket, worker: WorkerState) -> tuple[bool, bool, int, float, bool, int]:
        number = shard_number_of(ticket)
        return (
            number not in {POOL_SHARD_NUMBER, self._first},
            ticket.table.stage_name not in worker.loaded,
            number,
            -self._took_s.get(ticket.table.stage_name, 0.0),
            not ticket.needs & worker.last_read,
            self._order[ticket.place],
        )
