"""Tables of a run that makes nothing: their graph, shards and tickets, for trying the order of work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.sources.shards import Shard
from pipeline.tables.table import Table, TableReader
from pipeline.tables.tickets import Ticket
from schemas import Recipe, Source
from stages.stage import Stage


@dataclass(frozen=True)
class SimulatedTable(Table):
    """A table with a name, what it is made from, and the stage that it may share with others."""

    called: str
    made_from: tuple["SimulatedTable", ...] = ()
    shared_stage: str = ""
    gpu_share: float = 0.0
    record = Recipe

    @property
    def name(self) -> str:
        """The name."""
        return self.called

    @property
    def spec(self) -> Mapping[str, Any]:
        """Nothing but the name."""
        return {"name": self.called}

    @property
    def reads(self) -> tuple[Table, ...]:
        """What it is made from."""
        return self.made_from

    @property
    def stage_name(self) -> str:
        """The stage."""
        return self.shared_stage or self.folder

    @property
    def gpus(self) -> float:
        """GPUs that a worker must hold."""
        return self.gpu_share

    def stage(self, reader: TableReader) -> Stage[Any, Any]:
        """Raise: nothing is made."""
        raise NotImplementedError

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[Any]:
        """Raise: nothing is made."""
        raise NotImplementedError


def simulated_tables(models: int, metrics: int, *, gpus: float = 0.0) -> list[SimulatedTable]:
    """Return the tables of a run with so many restorers, the last one on a GPU, and metrics."""
    ingest = SimulatedTable("ingest")
    plan = SimulatedTable("plan", (ingest,))
    degrade = SimulatedTable("degrade", (plan, ingest))
    restores = [
        SimulatedTable(f"restore.{n}", (degrade,), gpu_share=gpus if n == models - 1 else 0.0)
        for n in range(models)
    ]
    scores = [
        SimulatedTable(f"score.{metric}.{table.called}", (table, degrade), f"score.{metric}")
        for table in restores
        for metric in range(metrics)
    ]
    return [ingest, plan, degrade, *restores, *scores, SimulatedTable("prefer", (plan, *scores))]


def simulated_tickets(tables: Sequence[SimulatedTable], num_shards: int) -> list[Ticket]:
    """Return the tickets of a run with so many shards, in their order."""
    shards = [
        Shard(number, (Source(id=f"s/{number}", corpus="s", path="", name="", content=""),))
        for number in range(num_shards)
    ]
    return [Ticket(table, shard) for shard in shards for table in tables]
