"""The order of work: which ticket a worker is given next."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.catalogue import Shard
from pipeline.table import PoolTable, Table

CPU = "cpu"
OPEN_SHARDS = 32
"""How many unfinished shards are open for work at a time."""
POOL_SHARD_NUMBER = -1
ShardPlace = tuple[str, str]
"""Folder and shard name: where the rows of a ticket lie."""


@dataclass(frozen=True)
class Ticket:
    """One table × one shard: the unit of scheduling, of saving and of resuming."""

    table: Table
    shard: Shard

    @property
    def name(self) -> str:
        """Table and shard, for people."""
        return f"{self.table.name}[{self.shard.number}]"

    @cached_property
    def place(self) -> tuple[str, str]:
        """Folder and shard: where its rows will lie."""
        return self.table.folder, self.shard.name

    @cached_property
    def needs(self) -> frozenset[ShardPlace]:
        """Folders and shards that must be there first."""
        own = {(table.folder, self.shard.name) for table in self.table.reads}
        return frozenset(
            own | {(pool.folder, shard.name) for pool in self.table.pools for shard in pool.shards}
        )

    @cached_property
    def resource(self) -> str:
        """The class of worker that can do it: ``cpu`` or ``gpu:SHARE``, and the environment that it needs."""
        share = f"gpu:{self.table.gpus:g}" if self.table.gpus else CPU
        return f"{share} {self.table.environment}".strip()


def gpus_of(resource: str | None) -> float:
    """Return how many GPUs a worker of this class holds."""
    return float((resource or CPU).partition(" ")[0].partition(":")[2] or 0.0)


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
        for ticket in sorted(tickets, key=_shard_number):
            if ticket.place not in self._done:
                self._waiting.setdefault(_shard_number(ticket), {})[ticket.place] = ticket
        self._first = min((_shard_number(t) for t in tickets if not _is_pool(t)), default=0)

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

    def waiting_by_resource(self) -> Counter[str]:
        """Count waiting tickets, ready or not, per class of worker."""
        return Counter(t.resource for shard in self._waiting.values() for t in shard.values())

    def ready_by_resource(self) -> Counter[str]:
        """Count tickets that could be given out now, per class of worker."""
        return Counter(ticket.resource for ticket in self._open() if ticket.needs <= self._done)

    def take(self, bench: WorkerState) -> Ticket | None:
        """Give out the best ready ticket for the worker, or None if there is none now.

        Pools and the first shard go first (smoke test, measured speeds); then what the worker has loaded;
        then the oldest shard; then what takes longest, so that the run does not end with it; then what reads
        the audio that the worker has just decoded.
        """
        ready = [t for t in self._open() if bench.resource in {None, t.resource} and t.needs <= self._done]
        if not ready:
            return None
        best = min(ready, key=lambda ticket: self._urgency(ticket, bench))
        self._given[best.place] = best
        number = _shard_number(best)
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
        self._waiting.setdefault(_shard_number(ticket), {})[ticket.place] = ticket

    def _open(self) -> Iterator[Ticket]:
        """Walk the waiting tickets of pools and of the oldest shards: later ones wait for their turn."""
        oldest = sorted(self._waiting)[:OPEN_SHARDS]
        return (ticket for number in oldest for ticket in self._waiting[number].values())

    def _urgency(self, ticket: Ticket, bench: WorkerState) -> tuple[bool, bool, int, float, bool, int]:
        number = _shard_number(ticket)
        return (
            number not in {POOL_SHARD_NUMBER, self._first},
            ticket.table.stage_name not in bench.loaded,
            number,
            -self._took_s.get(ticket.table.stage_name, 0.0),
            not ticket.needs & bench.last_read,
            self._order[ticket.place],
        )


def _is_pool(ticket: Ticket) -> bool:
    return isinstance(ticket.table, PoolTable)


def _shard_number(ticket: Ticket) -> int:
    """Return the shard's number; what everything waits for comes before all."""
    return POOL_SHARD_NUMBER if _is_pool(ticket) else ticket.shard.number
