"""What is left of a run, in time and bytes: measured where shards are finished, rough where none is."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.progress.estimates import Load, is_guess, pool_load, rough_bytes, rough_work_s
from pipeline.progress.ticket_log import TicketLine
from pipeline.sources.audio import estimate_duration_s
from pipeline.sources.shards import Shard
from pipeline.store.table_store import TableStore
from pipeline.tables.graph import Graph
from pipeline.tables.scores import num_takes
from pipeline.tables.speech import IngestTable
from pipeline.tables.table import PoolTable, Table
from schemas import Source

LENGTHS = ["segments.list.element.audio.num_samples", "segments.list.element.audio.sample_rate"]


@dataclass(frozen=True, slots=True)
class TableForecast:
    """One table: what is done, and what the rest would cost."""

    table: Table
    num_shards: int
    done: int
    work_left_s: float
    """On one core."""
    longest_ticket_s: float
    bytes_left: float
    bytes_done: int
    basis: str
    """``measured``, ``rough`` or ``guess``."""


class Forecast:
    """What a graph has done and left to do in a workspace."""

    def __init__(
        self,
        graph: Graph,
        store: TableStore,
        measured: Sequence[TicketLine],
        sample_rate: int | None,
        duration_s: Callable[[Source], float] = estimate_duration_s,
    ) -> None:
        self._graph = graph
        self._store = store
        self._sample_rate = sample_rate
        self._duration_s = duration_s
        self._lines = _by_name(measured)

    @cached_property
    def tables(self) -> tuple[TableForecast, ...]:
        """Every table, in the order in which they are made."""
        pools = (self._table(pool, self._pool_loads(pool)) for pool in self._graph.pools)
        speech = (self._table(table, self._loads(table)) for table in self._graph.speech_tables)
        return (*pools, *speech)

    @cached_property
    def speech(self) -> Mapping[str, Load]:
        """What each shard of speech holds: measured where ingest is done, by headers elsewhere."""
        return {shard.name: self._speech(shard) for shard in self._graph.shards}

    @cached_property
    def num_ingested(self) -> int:
        """Shards of speech whose length is exact."""
        done = self._store.shards(self._graph.ingest.folder)
        return sum(shard.name in done for shard in self._graph.shards)

    def _speech(self, shard: Shard) -> Load:
        ingest = self._graph.ingest
        if shard.name in self._store.shards(ingest.folder):
            return _ingested_load_of(self._store, ingest, shard.name)
        lengths = [self._duration_s(source) for source in shard.sources if source.content]
        longest_s = ingest.settings.max_duration_s
        return Load(sum(lengths), sum(_num_utterances(length, longest_s) for length in lengths))

    def _loads(self, table: Table) -> Mapping[str, Load]:
        if isinstance(table, IngestTable):
            return self.speech
        repeats = self._graph.plan.repeats
        return {name: load.repeat(repeats) for name, load in self.speech.items()}

    def _pool_loads(self, table: PoolTable) -> Mapping[str, Load]:
        return {
            shard.name: pool_load(table, len(shard.sources), sum(map(self._duration_s, shard.sources)))
            for shard in table.shards
        }

    def _table(self, table: Table, loads: Mapping[str, Load]) -> TableForecast:
        sizes = {name: size for name, size in self._store.sizes(table.folder).items() if name in loads}
        left = [load for name, load in loads.items() if name not in sizes]
        work_s, basis = self._work(table, loads)
        per_s = _ratio(sum(sizes.values()), sum(loads[name].audio_s for name in sizes))
        bytes_left = (
            sum(rough_bytes(table, load, self._sample_rate) for load in left)
            if per_s is None
            else per_s * sum(load.audio_s for load in left)
        )
        return TableForecast(
            table=table,
            num_shards=len(loads),
            done=len(sizes),
            work_left_s=sum(map(work_s, left)),
            longest_ticket_s=max(map(work_s, left), default=0.0),
            bytes_left=bytes_left,
            bytes_done=sum(sizes.values()),
            basis=basis,
        )

    def _work(self, table: Table, loads: Mapping[str, Load]) -> tuple[Callable[[Load], float], str]:
        """Return how long a shard takes, and how that is known."""
        lines = self._lines.get(table.name, [])
        own = [line for line in lines if line.folder == table.folder] or lines
        work_s = sum(line.work_s for line in own)
        audio_s = sum(_audio_s(line, loads) * line.takes for line in own)
        per_s = _ratio(work_s, audio_s)
        if per_s is not None:
            return lambda load: per_s * load.audio_s * num_takes(table), "measured"
        return lambda load: rough_work_s(table, load), "guess" if is_guess(table) else "rough"


def _num_utterances(duration_s: float, longest_s: float) -> int:
    """Return how many utterances a recording gives: longer ones are halved, and halved again."""
    return 1 << math.ceil(math.log2(max(1.0, duration_s / longest_s)))


def _by_name(measured: Sequence[TicketLine]) -> Mapping[str, list[TicketLine]]:
    found: defaultdict[str, list[TicketLine]] = defaultdict(list)
    for line in measured:
        found[line.table].append(line)
    return found


def _audio_s(line: TicketLine, loads: Mapping[str, Load]) -> float:
    """Return how long the audio of a ticket was; sources do not say it of themselves, their shard does."""
    return line.audio_s or (loads[line.shard].audio_s if line.shard in loads else 0.0)


def _ratio(above: float, below: float) -> float | None:
    return above / below if above > 0 and below > 0 else None


def _ingested_load_of(store: TableStore, table: IngestTable, shard: str) -> Load:
    lengths = list(_segment_lengths(store, table, shard))
    return Load(sum(lengths), len(lengths))


def _segment_lengths(store: TableStore, table: IngestTable, shard: str) -> Iterator[float]:
    for row in store.columns(table.folder, shard, LENGTHS).to_pylist():
        for segment in row["segments"]:
            yield segment["audio"]["num_samples"] / segment["audio"]["sample_rate"]
