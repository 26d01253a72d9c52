"""How far a run is, as the head of the page says it."""

import time
from dataclasses import dataclass
from typing import Self

from pipeline.progress.status import RunStatus
from pipeline.progress.ticket_log import TicketLine, ticket_lines
from pipeline.report.snapshot import Snapshot

SOURCES = ("pool", "ingest")
"""Tables that are made from sources, whose length tickets do not say."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """One moment of a run."""

    state: str
    """``running``, ``stopped`` or ``finished``."""
    holder: str
    """Who is at work; empty if nobody is."""
    done: int
    total: int
    elapsed_s: float
    """From the start of the run to the last ticket that it finished."""
    left_s: float | None
    """None while it is not known, and where nobody is at work."""
    speech_per_s: float
    """Seconds of degraded speech that go through the whole chain in a second."""
    rows: int
    failed: int
    pairs: int
    seen_at: str
    """When it was so, by the clock of this machine."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """Return where the run stands."""
        status, holder = snapshot.status, snapshot.workspace.holder
        began_s = snapshot.inventory.started_at_s
        noted = ticket_lines(snapshot.workspace.ticket_log)
        lines = [line for line in noted if line.finished_at_s >= began_s]
        elapsed_s = max((line.finished_at_s - began_s for line in lines), default=0.0)
        statuses = [table.count_by_status() for table in status.tables]
        return cls(
            state="finished" if status.is_computed else "stopped" if holder is None else "running",
            holder="" if holder is None else str(holder),
            done=sum(table.done for table in status.tables),
            total=sum(table.num_shards for table in status.tables),
            elapsed_s=elapsed_s,
            left_s=None if holder is None else status.left_s(),
            speech_per_s=_speech_s(status, lines) / elapsed_s if elapsed_s else 0.0,
            rows=sum(found.total() for found in statuses),
            failed=sum(found["failed"] for found in statuses),
            pairs=snapshot.tables.rows("SELECT count(*) AS pairs FROM pairs")[0]["pairs"],
            seen_at=time.strftime("%H:%M:%S"),
        )


def _speech_s(status: RunStatus, lines: list[TicketLine]) -> float:
    """Return how much speech this run took through the chain: the mean over the tables of the chain."""
    chain = {table.name for table in status.tables if table.name.partition(".")[0] not in SOURCES}
    return sum(line.audio_s for line in lines if line.table in chain) / max(len(chain), 1)
