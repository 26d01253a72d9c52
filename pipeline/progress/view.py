"""What a person sees while a run goes on: a live table in a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table as RichTable
from rich.text import Text

from pipeline.progress.tally import TableTally, Tally
from pipeline.text import format_clock, format_digits

PLAIN_EVERY_S = 5.0
PLAIN_QUIET_S = 20.0
"""A log that says nothing for longer looks as if the run hung."""
GROUPS = ("pool", "ingest", "given", "plan", "degrade", "restore", "score", "prefer")


class View(Protocol):
    """Shows the tally now and then."""

    def show(self, tally: Tally) -> None:
        """Show how far the run is."""
        ...

    def say(self, text: str) -> None:
        """Print a line that stays."""
        ...


class PlainView:
    """A line every few seconds while tickets finish, and now and then while none does: for logs and pipes."""

    def __init__(self, quiet_s: float = PLAIN_QUIET_S) -> None:
        self._tally: Tally | None = None
        self._quiet_s = quiet_s
        self._started = self._last = time.monotonic()
        self._ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator["PlainView"]:
        """Break long silences."""
        breaker = threading.Thread(target=self._break_silences, daemon=True)
        breaker.start()
        try:
            yield self
        finally:
            self._ended.set()
            breaker.join()

    def _break_silences(self) -> None:
        while not self._ended.wait(self._quiet_s / 4):
            if time.monotonic() - self._last >= self._quiet_s:
                self._say_state()

    def show(self, tally: Tally) -> None:
        """Print a line if the last one is old enough."""
        self._tally = tally
        if time.monotonic() - self._last >= PLAIN_EVERY_S:
            self._say_state()

    def say(self, text: str) -> None:
        """Print a line."""
        self._last = time.monotonic()
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def _say_state(self) -> None:
        elapsed_s = time.monotonic() - self._started
        self.say(_line(self._tally, elapsed_s) if self._tally else f"{format_clock(elapsed_s)}  starting")


class LiveView:
    """A table that is redrawn in place, its clock running between tickets."""

    def __init__(self, console: Console) -> None:
        self._tally: Tally | None = None
        self._started = time.monotonic()
        self._live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=self._render)

    @contextmanager
    def running(self) -> Iterator["LiveView"]:
        """Keep the table on the screen."""
        with self._live:
            yield self

    def show(self, tally: Tally) -> None:
        """Draw this from now on."""
        self._tally = tally

    def say(self, text: str) -> None:
        """Print a line above the table."""
        self._live.console.print(text, highlight=False, markup=False)

    def _render(self) -> RenderableType:
        elapsed_s = time.monotonic() - self._started
        if self._tally is None:
            return Text(f"{format_clock(elapsed_s)}  starting")
        return Group(_table(self._tally), Text(_line(self._tally, elapsed_s)))


@contextmanager
def open_view() -> Iterator[View]:
    """Give the view that fits where output goes."""
    console = Console()
    if console.is_terminal:
        with LiveView(console).running() as live:
            yield live
    else:
        with PlainView().running() as plain:
            yield plain


def remaining_s(tally: Tally, elapsed_s: float) -> float | None:
    """Return the expected time to the end, by what tickets of each table have cost so far.

    None until every table that is not finished has had a ticket, now or in an earlier run: what is not
    measured is not guessed.
    """
    left_s = done_s = 0.0
    for table in tally.tables.values():
        done_s += table.wall_s - table.load_s
        num_left = table.num_tickets - table.done
        if num_left and table.ticket_s is None:
            return None
        left_s += (table.ticket_s or 0.0) * num_left
    return elapsed_s * left_s / done_s if done_s > 0 else None


def speech_speed(tally: Tally, elapsed_s: float) -> float:
    """Return how many seconds of degraded speech go through the whole chain in a second.

    Tables that are made from sources do not say how long those are, so they are left out.
    """
    chain = [t for t in tally.tables.values() if t.name.partition(".")[0] not in {"pool", "ingest"}]
    return sum(t.audio_s for t in chain) / len(chain) / elapsed_s if chain and elapsed_s > 0 else 0.0


def _line(tally: Tally, elapsed_s: float) -> str:
    tables = list(tally.tables.values())
    done, total = sum(t.done for t in tables), sum(t.num_tickets for t in tables)
    failed = sum(t.num_failed for t in tables)
    left_s = remaining_s(tally, elapsed_s)
    eta = "time left: measuring" if left_s is None else f"{format_clock(left_s)} left"
    parts = [format_clock(elapsed_s), f"{done}/{total} tickets", eta]
    parts.append(f"{format_digits(speech_speed(tally, elapsed_s))} s of speech per s")
    if failed:
        parts.append(f"{failed} failed")
    return "  ".join([*parts, tally.last]).rstrip()


def _table(tally: Tally) -> RichTable:
    table = RichTable(box=None, pad_edge=False)
    for column in ("stage", "tickets", "rows/takes", "audio s/s", "unfit", "skipped", "failed"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for group in GROUPS:
        members = [t for t in tally.tables.values() if t.name.partition(".")[0] == group]
        if members:
            table.add_row(*_cells(group, members))
    return table


def _cells(group: str, members: list[TableTally]) -> list[str]:
    statuses = sum((t.count_by_status() for t in members), start=type(members[0].counts)())
    wall_s = sum(t.wall_s for t in members)
    speed = sum(t.audio_s for t in members) / wall_s if wall_s else 0.0
    return [
        group,
        f"{sum(t.done for t in members)}/{sum(t.num_tickets for t in members)}",
        str(sum(t.num_rows for t in members)),
        format_digits(speed) if speed else "",
        *(str(statuses[status]) if statuses[status] else "" for status in ("unfit", "skipped", "failed")),
    ]
