"""The recordings of finished pools: what there is to draw from, and their audio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from pipeline.store.arrow import rows_of
from pipeline.store.damage import reading
from pipeline.store.table_store import CHECKED, TableStore
from schemas import AudioRef, EncodedAudio, IntegrityError, OperatorSpec, PoolRecording, Split, Status
from stages.audio.cache import AudioCache
from stages.audio.flac import decode_flac
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.degrade.loaded_restorers import LoadedRestorers
from stages.operators.distributions import Pools


@dataclass(frozen=True, slots=True)
class PoolPart:
    """Where the recordings of a part of a pool are."""

    pool: str
    folder: str
    """The name under which the store has its table."""
    shards: tuple[str, ...]


def read_pools(store: TableStore, parts: Sequence[PoolPart]) -> Mapping[Split, Pools]:
    """Return references to all usable recordings, by side and pool, in the order of their ids."""
    found: dict[Split, dict[str, list[AudioRef]]] = {split: {} for split in Split}
    for part in parts:
        for row in sorted(_read_descriptions(store, part), key=lambda row: row.id):
            if row.status is Status.OK and row.audio is not None:
                found[row.split].setdefault(part.pool, []).append(_reference(row, row.audio))
    return found


class PoolAudio:
    """Reads recordings of pools one at a time: each has a row group of its own."""

    def __init__(self, store: TableStore, parts: Sequence[PoolPart], memory: AudioCache) -> None:
        self._store = store
        self._memory = memory
        self._restorers = LoadedRestorers()
        self._places: dict[tuple[str, str], tuple[str, str, int]] = {}
        self._rows: dict[tuple[str, str], PoolRecording] = {}
        for part in parts:
            for shard in part.shards:
                rows = store.read(part.folder, shard, PoolRecording, audio=False)
                for index, row in enumerate(rows):
                    self._places[part.pool, row.id] = (part.folder, shard, index)
                    self._rows[part.pool, row.id] = row

    def read(self, ref: AudioRef, sample_rate: int) -> Waveform:
        """Return the recording at ``sample_rate``; ``IntegrityError`` if the pool holds another one."""
        described = self._row(ref).audio
        if described is None or described.digest != ref.digest:
            raise IntegrityError(
                f"pool {ref.pool!r} no longer holds {ref.id!r} with digest {ref.digest[:12]}…"
            )
        return self._memory.get(
            (ref.digest, str(sample_rate)), lambda: resample(decode_flac(self._audio(ref)), sample_rate)
        )

    def facts(self, ref: AudioRef) -> Mapping[str, float]:
        """Return what is known of the recording."""
        return self._row(ref).facts

    def apply_restorer(self, spec: OperatorSpec, speech: Waveform, seed: int) -> Waveform:
        """Return ``speech`` as the restorer gives it back, where and as loud as it was."""
        return self._restorers.apply_restorer(spec, speech, seed)

    def _row(self, ref: AudioRef) -> PoolRecording:
        try:
            return self._rows[ref.pool, ref.id]
        except KeyError:
            raise IntegrityError(f"pool {ref.pool!r} has no recording {ref.id!r}") from None

    def _audio(self, ref: AudioRef) -> EncodedAudio:
        folder, shard, index = self._places[ref.pool, ref.id]
        path = self._store.path(folder, shard)
        with reading(path), pq.ParquetFile(path, **CHECKED) as file:
            (row,) = rows_of(PoolRecording, file.read_row_group(index))
        if row.audio is None:
            raise IntegrityError(f"pool {ref.pool!r} has no audio for {ref.id!r}")
        return row.audio


def _read_descriptions(store: TableStore, part: PoolPart) -> list[PoolRecording]:
    return [
        row for shard in part.shards for row in store.read(part.folder, shard, PoolRecording, audio=False)
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
