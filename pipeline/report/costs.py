"""What each stage of a run took: time, memory and room, from the log of tickets and from what lies there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.progress.status import TableStatus, group_tables
from pipeline.report.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Cost:
    """One stage."""

    name: str
    done: int
    shards: int
    rows: int
    audio_s: float
    work_s: float
    """On one core, without the loading of models."""
    load_s: float
    peak_bytes: int
    num_bytes: int

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work per second of speech, each utterance counted once; None if nothing was timed."""
        return self.work_s / self.audio_s if self.audio_s else None


def costs_of(snapshot: Snapshot) -> list[Cost]:
    """Return the stages in the order in which they are made."""
    return list(_costs(snapshot.status.tables))


def _costs(tables: Sequence[TableStatus]) -> Iterator[Cost]:
    for name, members in group_tables(tables).items():
        yield Cost(
            name=name,
            done=sum(m.done for m in members),
            shards=sum(m.num_shards for m in members),
            rows=sum(m.counts.total() for m in members),
            audio_s=sum(m.audio_s for m in members),
            work_s=sum(m.work_s for m in members),
            load_s=sum(m.load_s for m in members),
            peak_bytes=max(m.peak_bytes for m in members),
            num_bytes=sum(m.num_bytes for m in members),
        )
