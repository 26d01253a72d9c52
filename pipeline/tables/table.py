"""What a table is: where its rows come from, which stage makes them, and under which key.

A table's name holds the fingerprint of its own settings and of its true ancestors, and of nothing else: what
exists is done, and what is stale is never looked for.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import pyarrow as pa

from pipeline.sources.shards import Shard
from pipeline.store.arrow import table_of
from pipeline.store.table_store import TableStore
from pipeline.tables.pool_audio import PoolAudio, PoolShards, read_pools
from schemas import PoolRecording, Record, Row, Source, Split, fingerprint_of
from stages.audio.cache import AudioCache
from stages.audio.waveform import AudioSource
from stages.operators.distributions import Pools
from stages.stage import Stage

ROWS_KEPT = 4
"""Shards whose rows a reader keeps: those of the tables that one shard is made from."""


class TableReader:
    """Reads finished tables for those that are made of them, and keeps what was read and decoded last."""

    def __init__(self, store: TableStore) -> None:
        self.cache = AudioCache()
        self._store = store
        self._kept: OrderedDict[tuple[str, str, bool], Sequence[Any]] = OrderedDict()

    def rows(self, table: "Table", shard: str, *, audio: bool = True) -> Sequence[Any]:
        """Return the rows of a finished shard; the last few are kept."""
        name = (table.folder, shard, audio)
        if name not in self._kept:
            self._kept[name] = self._store.read(table.folder, shard, table.record, audio=audio)
            while len(self._kept) > ROWS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        return self._kept[name]

    def columns(self, table: "Table", shard: str, paths: Sequence[str]) -> pa.Table:
        """Return some columns of a finished shard, for tables that need no records of it."""
        return self._store.columns(table.folder, shard, paths)

    def pools(self, tables: Sequence["PoolTable"]) -> Mapping[Split, Pools]:
        """Return the recordings of finished pools, by side of the split."""
        return read_pools(self._store, [table.pool_shards for table in tables])

    def audio_source(self, tables: Sequence["PoolTable"]) -> AudioSource:
        """Return the audio of finished pools."""
        return PoolAudio(self._store, [table.pool_shards for table in tables], self.cache)


@dataclass(frozen=True)
class Table(ABC):
    """One table: where its rows come from and which stage makes them."""

    record: ClassVar[type[Row]]
    audio: ClassVar[bool] = True
    """Whether its rows hold audio."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is, for people: ``score.pesq.identity``."""

    @property
    @abstractmethod
    def spec(self) -> Mapping[str, Any]:
        """Its own settings and the keys of its ancestors: all that its rows depend on."""

    @property
    @abstractmethod
    def reads(self) -> tuple["Table", ...]:
        """The tables whose shard of the same name must be finished first."""

    @abstractmethod
    def stage(self, reader: TableReader) -> Stage[Any, Any]:
        """Return the stage that makes its rows, not yet loaded."""

    @abstractmethod
    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[Any]:
        """Return one record per planned row."""

    def arrow(self, rows: Sequence[Any]) -> pa.Table:
        """Return what the stage made of a shard as rows of ``record``."""
        return table_of(self.record, rows)

    @property
    def stage_name(self) -> str:
        """What its stage is known by in a worker: tables of one stage name share the stage, loaded once."""
        return self.folder

    @property
    def pools(self) -> tuple["PoolTable", ...]:
        """The pools that must be finished, all their shards, before any shard of this table."""
        return ()

    @property
    def gpus(self) -> float:
        """GPUs that a worker must hold."""
        return 0.0

    @property
    def environment(self) -> str:
        """The environment that its operator brings along, which other tables' workers do without."""
        return ""

    @cached_property
    def key(self) -> str:
        """Sixteen hex digits of the spec."""
        return fingerprint_of(self.spec)

    @cached_property
    def folder(self) -> str:
        """The name under which the workspace holds it."""
        return f"{self.name}-{self.key}"


@dataclass(frozen=True)
class PoolTable(Table):
    """Noise or responses, one recording per row: a part of a pool, recorded or made."""

    pool: str
    part: int
    settings: Record
    shards: tuple[Shard, ...]
    record = PoolRecording

    version: ClassVar[int]
    """Of the stage that makes it."""

    @property
    def name(self) -> str:
        return f"pool.{self.pool}.{self.part}"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {"version": self.version, "settings": self.settings.model_dump(mode="json")}

    @abstractmethod
    def side(self, source: Source) -> Split:
        """Return the side of the split that a recording is on."""

    @property
    def pool_shards(self) -> PoolShards:
        """Where its recordings are."""
        return PoolShards(self.pool, self.folder, tuple(shard.name for shard in self.shards))

    @property
    def drawn_from(self) -> str:
        """What a plan depends on: the settings and the contents, whatever the shards."""
        sources = (source for shard in self.shards for source in shard.sources)
        contents = sorted((s.id, s.content, s.offset_s, s.duration_s, s.speaker) for s in sources)
        return fingerprint_of([self.key, contents])

    @property
    def reads(self) -> tuple[Table, ...]:
        return ()

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[Source]:  # noqa: ARG002
        return shard.sources
