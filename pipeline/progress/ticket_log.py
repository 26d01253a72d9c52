"""How fast tickets went: one line each, for the people and commands that ask. No result depends on it."""

from collections.abc import Iterator

from pydantic import ValidationError

from pipeline.execution.worker import TicketResult
from pipeline.store.line_log import Lines
from pipeline.tables.scores import num_takes
from pipeline.tables.tickets import Ticket
from schemas import Record


class TicketLine(Record):
    """One ticket that was done."""

    table: str
    folder: str
    shard: str
    finished_at_s: float
    """Seconds since 1970."""
    takes: int
    """Candidates per row."""
    audio_s: float
    """Of the rows, each counted once; 0 for tables that are made from sources."""
    inside_s: float
    wall_s: float
    load_s: float
    model_s: float = 0.0
    """Inside a restoration model itself."""
    real_time_factor: float | None = None
    """Seconds inside the model per second of audio that it was given; None where no model was timed."""
    peak_bytes: int = 0
    """What the worker and its children held at most."""
    peak_gpu_bytes: int = 0

    @property
    def work_s(self) -> float:
        """What it took without the loading of models, which happens once per worker."""
        return max(self.wall_s - self.load_s, 0.0)


def note_ticket(log: Lines, ticket: Ticket, result: TicketResult, finished_at_s: float) -> None:
    """Append the line of a ticket."""
    line = TicketLine(
        table=ticket.table.name,
        folder=ticket.table.folder,
        shard=ticket.shard.name,
        finished_at_s=finished_at_s,
        takes=num_takes(ticket.table),
        audio_s=result.audio_s,
        inside_s=result.inside_s,
        wall_s=result.wall_s,
        load_s=result.load_s,
        model_s=result.model.inside_s,
        real_time_factor=result.model.real_time_factor,
        peak_bytes=result.peak_bytes,
        peak_gpu_bytes=result.peak_gpu_bytes,
    )
    log.append(line.model_dump_json())


def ticket_lines(log: Lines) -> list[TicketLine]:
    """Return the tickets that were noted; a line that is being written, or was torn, is left out."""
    return list(_lines(log))


def _lines(log: Lines) -> Iterator[TicketLine]:
    for text in log.lines():
        try:
            yield TicketLine.model_validate_json(text)
        except ValidationError:
            continue
