"""The recordings of finished pools: what there is to draw from, and their audio."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import pyarrow.parquet as pq

from pipeline.arrow import rows_of
from pipeline.store import TableStore
from pipeline.table import PoolTable
from schemas import AudioRef, EncodedAudio, IntegrityError, OperatorSpec, PoolRecording, Split, Status
from stages.audio_memory import AudioMemory
from stages.distributions import Pools
from stages.flac import decode
from stages.resampling import resample
from stages.secondary import LoadedRestorers
from stages.waveform import Waveform


def pools_by_split(store: TableStore, tables: Sequence[PoolTable]) -> Mapping[Split, Pools]:
    """Return references to all usable recordings, by side and pool, in the order of their ids."""
    found: dict[Split, dict[str, list[AudioRef]]] = {split: {} for split in Split}
    for table in tables:
        for row in sorted(_described(store, table), key=lambda row: row.id):
            if row.status is Status.OK and row.audio is not None:
                found[row.split].setdefault(table.pool, []).append(_reference(row, row.audio))
    return found


class Named(Protocol):
    """A shard."""

    @property
    def name(self) -> str:
        """Under which the store has it."""
        ...


class PoolShards(Protocol):
    """Where the recordings of a part of a pool are."""

    @property
    def pool(self) -> str:
        """The name of the pool."""
        ...

    @property
    def folder(self) -> str:
        """The name under which the store has the table."""
        ...

    @property
    def shards(self) -> Sequence[Named]:
        """The shards of the table."""
        ...


class PoolAudio:
    """Reads recordings of pools one at a time: each has a row group of its own."""

    def __init__(self, store: TableStore, tables: Sequence[PoolShards], memory: AudioMemory) -> None:
        self._store = store
        self._memory = memory
        self._restorers = LoadedRestorers()
        self._places: dict[tuple[str, str], tuple[PoolShards, str, int]] = {}
        self._rows: dict[tuple[str, str], PoolRecording] = {}
        for table in tables:
            for shard in table.shards:
                rows = store.read(table.folder, shard.name, PoolRecording, audio=False)
                for index, row in enumerate(rows):
                    self._places[table.pool, row.id] = (table, shard.name, index)
                    self._rows[table.pool, row.id] = row

    def read(self, ref: AudioRef, sample_rate: int) -> Waveform:
        """Return the recording at ``sample_rate``; ``IntegrityError`` if the pool holds another one."""
        described = self._row(ref).audio
        if described is None or described.digest != ref.digest:
            raise IntegrityError(
                f"pool {ref.pool!r} no longer holds {ref.id!r} with digest {ref.digest[:12]}…"
            )
        return self._memory.made(
            (ref.digest, str(sample_rate)), lambda: resample(decode(self._audio(ref)), sample_rate)
        )

    def facts(self, ref: AudioRef) -> Mapping[str, float]:
        """Return what is known of the recording."""
        return self._row(ref).facts

    def restored(self, spec: OperatorSpec, speech: Waveform, seed: int) -> Waveform:
        """Return ``speech`` as the restorer gives it back, where and as loud as it was."""
        return self._restorers.restored(spec, speech, seed)

    def _row(self, ref: AudioRef) -> PoolRecording:
        try:
            return self._rows[ref.pool, ref.id]
        except KeyError:
            raise IntegrityError(f"pool {ref.pool!r} has no recording {ref.id!r}") from None

    def _audio(self, ref: AudioRef) -> EncodedAudio:
        table, shard, index = self._places[ref.pool, ref.id]
        with pq.ParquetFile(self._store.path(table.folder, shard)) as file:
            (row,) = rows_of(PoolRecording, file.read_row_group(index))
        if row.audio is None:
            raise IntegrityError(f"pool {ref.pool!r} has no audio for {ref.id!r}")
        return row.audio


def _described(store: TableStore, table: PoolTable) -> list[PoolRecording]:
    return [
        row
        for shard in table.shards
        for row in store.read(table.folder, shard.name, PoolRecording, audio=False)
    ]


def _reference(row: PoolRecording, audio: EncodedAudio) -> AudioRef:
    return AudioRef(
        pool=row.pool,
        id=row.id,
        digest=audio.digest,
        sample_rate=audio.sample_rate,
        num_samples=audio.num_samples,
        speaker=row.speaker,
    )
