"""What work costs where nothing was measured yet: rough, from one core of a 2020s server."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.judging_tables import PreferTable, ScoreTable
from pipeline.pool_tables import NoisePoolTable, RoomPoolTable
from pipeline.table import PoolTable, Table
from pipeline.tables import DegradeTable, IngestTable, PlanTable, RestoreTable

SECONDS_PER_AUDIO_SECOND: Mapping[str, float] = {
    "ingest": 0.01,
    "degrade": 0.008,
    "degrade/bandwidth": 0.003,
    "degrade/clipping": 0.001,
    "degrade/codec": 0.01,
    "degrade/noise": 0.003,
    "degrade/reverb": 0.005,
    "restore/band_replication": 0.008,
    "restore/bsrnn": 0.041,
    "restore/conceal": 0.06,
    "restore/declip": 0.06,
    "restore/deepfilternet3": 0.018,
    "restore/dtln": 0.022,
    "restore/fast_enhancer": 0.02,
    "restore/fe_dprnn": 0.043,
    "restore/fe_dpt": 0.015,
    "restore/fspen": 0.026,
    "restore/gtcrn": 0.033,
    "restore/identity": 0.005,
    "restore/lisennet": 0.023,
    "restore/rnnoise": 0.012,
    "restore/spectral_gate": 0.012,
    "restore/ul_unas": 0.043,
    "restore/wiener": 0.014,
    "restore/wpe": 0.045,
    "score/estoi": 0.005,
    "score/log_spectral_distance": 0.002,
    "score/mel_cepstral_distance": 0.02,
    "score/missing_speech": 0.001,
    "score/multi_resolution_stft": 0.002,
    "score/nisqa": 0.008,
    "score/pesq": 0.012,
    "score/phone_error": 0.06,
    "score/plcmos": 0.01,
    "score/sdr": 0.003,
    "score/si_sdr": 0.001,
    "score/spectral_envelope": 0.002,
    "score/stoi": 0.005,
    "score/vqscore": 0.002,
    "pool": 0.02,
}
"""Core-seconds per second of audio and candidate, with reading and writing the shard."""
SECONDS_PER_RECORD: Mapping[str, float] = {
    "plan": 0.002,
    "prefer": 0.003,
    "score/dnsmos": 0.3,
    "pool/room": 0.6,
}
"""Core-seconds per row and candidate, where the length of the audio hardly matters."""
GUESS = 0.1
"""For operators that nobody has measured, in core-seconds per second of audio and candidate."""
FLAC_SHARE = 0.6
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

    def repeated(self, times: int) -> "Load":
        """Return the load of several versions of each record."""
        return Load(self.audio_s * times, self.records * times)


def num_takes(table: Table) -> int:
    """Return how many candidates a row of ``table`` is about."""
    if isinstance(table, ScoreTable):
        return table.restore.setup.takes
    return table.setup.takes if isinstance(table, RestoreTable) else 1


def is_guess(table: Table) -> bool:
    """Whether nobody has said how fast the operator of ``table`` is."""
    kind = _kind(table)
    return kind not in SECONDS_PER_AUDIO_SECOND and kind not in SECONDS_PER_RECORD


def rough_work_s(table: Table, load: Load) -> float:
    """Return about how long a shard of ``table`` takes on one core."""
    kind = _kind(table)
    if kind in SECONDS_PER_RECORD:
        return SECONDS_PER_RECORD[kind] * load.records * num_takes(table)
    per_s = SECONDS_PER_AUDIO_SECOND.get(kind, GUESS)
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


def _kind(table: Table) -> str:
    if isinstance(table, RestoreTable):
        return f"restore/{table.setup.restorer.kind}"
    if isinstance(table, ScoreTable):
        return f"score/{table.setup.metric.kind}"
    return next((kind for made, kind in _KINDS.items() if isinstance(table, made)), "pool")


_KINDS: Mapping[type[Table], str] = {
    IngestTable: "ingest",
    PlanTable: "plan",
    DegradeTable: "degrade",
    PreferTable: "prefer",
    RoomPoolTable: "pool/room",
}


def _step(kind: str) -> float:
    return SECONDS_PER_AUDIO_SECOND.get(f"degrade/{kind}", GUESS)


def pool_load(table: PoolTable, shard_sources: int, listed_s: float) -> Load:
    """Return the load of a shard of a pool, of which ``listed_s`` is what headers say."""
    match table:
        case RoomPoolTable():
            return Load(shard_sources * ROOM_S, shard_sources)
        case NoisePoolTable():
            return Load(shard_sources * table.settings.duration_s, shard_sources)
    return Load(listed_s, shard_sources)
