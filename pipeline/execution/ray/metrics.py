"""Series for Ray's metrics endpoint: rows by outcome and table, speed, tickets in flight."""

from time import monotonic

from ray.util.metrics import Counter, Gauge

from pipeline.execution.worker import TicketResult
from pipeline.store.missing_values import statuses_of
from pipeline.tables.tickets import Ticket


class RunMetrics:
    """The series of one run; Ray exports each as ``ray_unanimous_…``."""

    def __init__(self, run: str) -> None:
        tags = ("run", "table", "status")
        self._rows = Counter("unanimous_rows", "Rows by table and status", tag_keys=tags)
        self._audio = Counter("unanimous_audio_seconds", "Audio processed", tag_keys=("run", "table"))
        self._speed = Gauge("unanimous_audio_seconds_per_second", "Audio per wall time", tag_keys=("run",))
        self._in_flight = Gauge("unanimous_tickets_in_flight", "Tickets given out", tag_keys=("run",))
        self._run = run
        self._started = monotonic()
        self._audio_s = 0.0

    def count_finished(self, ticket: Ticket, result: TicketResult) -> None:
        """Count a finished ticket."""
        table = {"run": self._run, "table": ticket.table.name}
        for status, number in statuses_of(result.counts).items():
            self._rows.inc(number, tags={**table, "status": status})
        if result.audio_s > 0:
            self._audio.inc(result.audio_s, tags=table)
        self._audio_s += result.audio_s
        self._speed.set(self._audio_s / max(monotonic() - self._started, 1e-9), tags={"run": self._run})

    def set_in_flight(self, number: int) -> None:
        """Note how many tickets are given out."""
        self._in_flight.set(number, tags={"run": self._run})
