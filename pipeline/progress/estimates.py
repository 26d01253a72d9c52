"""What work costs where nothing was measured yet: rough, from one core of a 2020s server."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.sources.audio import FLAC_SHARE
from pipeline.tables.pools import NoisePoolTable, RoomPoolTable
from pipeline.tables.scores import PreferTable, ScoreTable, num_takes
from pipeline.tables.speech import DegradeTable, IngestTable, PlanTable, RestoreTable
from pipeline.tables.table import PoolTable, Table
from stages.degradations import DEGRADATIONS
from stages.operators.operator import Operator

SECONDS_PER_AUDIO_SECOND: Mapping[str, float] = {"ingest": 0.01, "degrade": 0.008, "pool": 0.02}
"""Core-seconds per second of audio of what is no operator's work, with reading and writing the shard."""
SECONDS_PER_RECORD: Mapping[str, float] = {"plan": 0.002, "prefer": 0.003, "pool/room": 0.6}
"""Core-seconds per row, where the length of the audio hardly matters."""
GUESS = 0.1
"""For operators that nobody has measured, in core-seconds per second of audio and candidate."""
BYTES_PER_SAMPLE = 3
NATIVE_RATE_HZ = 48_000
"""For recordings that keep their own rate."""
BYTES_PER_RECORD = 1_000
"""Of a row without audio."""
ROOM_S = 1.0
"""Length of a simulated response."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much one shard holds."""

    audio_s: float
    records: int

    def repeat(self, times: int) -> "Load":
        """Return the load of several versions of each record."""
        return Load(self.audio_s * times, self.records * times)


def is_guess(table: Table) -> bool:
    """Whether nobody has said how fast the operator of ``table`` is."""
    return _costs(table) == (None, None)


def rough_work_s(table: Table, load: Load) -> float:
    """Return about how long a shard of ``table`` takes on one core."""
    per_record, per_s = _costs(table)
    if per_record is not None:
        return per_record * load.records * num_takes(table)
    per_s = GUESS if per_s is None else per_s
    if isinstance(table, DegradeTable):
        per_s += sum(share * _step(step.kind) for part in table.plan.chain for step, share in part.shares)
    return per_s * load.audio_s * num_takes(table)


def rough_bytes(table: Table, load: Load, sample_rate: int | None) -> float:
    """Return about how large a shard of ``table`` is; audio is 24-bit FLAC at ``sample_rate``."""
    rows = load.records * BYTES_PER_RECORD * num_takes(table)
    if not table.audio:
        return rows
    sides = 2 if isinstance(table, DegradeTable) else num_takes(table)
    per_s = (sample_rate or NATIVE_RATE_HZ) * BYTES_PER_SAMPLE * FLAC_SHARE
    return rows + per_s * load.audio_s * sides


def _costs(table: Table) -> tuple[float | None, float | None]:
    """Return the core-seconds per record and per second of audio, as far as somebody has measured them."""
    operator: Operator | None = None
    if isinstance(table, RestoreTable):
        operator = table.setup.restorer
    elif isinstance(table, ScoreTable):
        operator = table.setup.metric
    if operator is not None:
        return operator.cost_s_per_record, operator.cost_s_per_s
    kind = next((kind for made, kind in _KINDS.items() if isinstance(table, made)), "pool")
    return SECONDS_PER_RECORD.get(kind), SECONDS_PER_AUDIO_SECOND.get(kind)


_KINDS: Mapping[type[Table], str] = {
    IngestTable: "ingest",
    PlanTable: "plan",
    DegradeTable: "degrade",
    PreferTable: "prefer",
    RoomPoolTable: "pool/room",
}


def _step(kind: str) -> float:
    cost = DEGRADATIONS[kind].cost_s_per_s
    return GUESS if cost is None else cost


def pool_load(table: PoolTable, shard_sources: int, listed_s: float) -> Load:
    """Return the load of a shard of a pool, of which ``listed_s`` is what headers say."""
    match table:
        case RoomPoolTable():
            return Load(shard_sources * ROOM_S, shard_sources)
        case NoisePoolTable():
            return Load(shard_sources * table.settings.duration_s, shard_sources)
    return Load(listed_s, shard_sources)
