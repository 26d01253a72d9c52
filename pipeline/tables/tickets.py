"""The order of work: which ticket a worker is given next."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from pipeline.sources.shards import Shard
from pipeline.tables.table import PoolTable, Table

CPU = "cpu"
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

    @property
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


class TicketGraph(Protocol):
    """All tables and shards of some work: what boards, tallies and executors need to know of it."""

    @property
    def tables(self) -> Sequence[Table]:
        """Every table."""
        ...

    @property
    def shards(self) -> Sequence[Shard]:
        """The shards of all tables but pools."""
        ...

    @property
    def tickets(self) -> Sequence[Ticket]:
        """Every table × shard."""
        ...


def gpus_of(resource: str | None) -> float:
    """Return how many GPUs a worker of this class holds."""
    return float((resource or CPU).partition(" ")[0].partition(":")[2] or 0.0)


def is_pool(ticket: Ticket) -> bool:
    """Return whether the ticket makes a shard of a pool."""
    return isinstance(ticket.table, PoolTable)


def shard_number_of(ticket: Ticket) -> int:
    """Return the shard's number; what everything waits for comes before all."""
    return POOL_SHARD_NUMBER if is_pool(ticket) else ticket.shard.number
