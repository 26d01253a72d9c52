"""What a person sees while a run goes on: a live table in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table as RichTable

from pipeline.tally import TableTally, Tally

PLAIN_EVERY_S = 5.0
GROUPS = ("pool", "ingest", "plan", "degrade", "restore", "score", "prefer")


class View(Protocol):
    """Shows the tally now and then."""

    def show(self, tally: Tally) -> None:
        """Show how far the run is."""
        ...

    def say(self, text: str) -> None:
        """Print a line that stays."""
        ...


class PlainView:
    """A line every few seconds, for logs and pipes."""

    def __init__(self) -> None:
        self._started = self._last = time.monotonic()

    def show(self, tally: Tally) -> None:
        """Print a line if the last one is old enough."""
        now = time.monotonic()
        if now - self._last >= PLAIN_EVERY_S:
            self._last = now
            self.say(_line(tally, now - self._started))

    def say(self, text: str) -> None:
        """Print a line."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


class LiveView:
    """A table that is redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._started = time.monotonic()

    @contextmanager
    def running(self) -> Iterator["LiveView"]:
        """Keep the table on the screen."""
        with self._live:
            yield self

    def show(self, tally: Tally) -> None:
        """Redraw the table."""
        elapsed_s = time.monotonic() - self._started
        self._live.update(Group(_table(tally), _line(tally, elapsed_s)))

    def say(self, text: str) -> None:
        """Print a line above the table."""
        self._live.console.print(text, highlight=False, markup=False)


@contextmanager
def view() -> Iterator[View]:
    """Give the view that fits where output goes."""
    console = Console()
    if console.is_terminal:
        with LiveView(console).running() as live:
            yield live
    else:
        yield PlainView()


def remaining_s(tally: Tally, elapsed_s: float) -> float | None:
    """Return the expected time to the end, by what tickets have cost so far."""
    left = done = 0.0
    for table in tally.tables.values():
        fresh = max(table.wall_s, 1e-9)
        done += table.wall_s
        per_ticket = fresh / table.fresh if table.fresh else None
        if per_ticket is None and table.done < table.num_tickets:
            return None
        left += (per_ticket or 0.0) * (table.num_tickets - table.done)
    return elapsed_s * left / done if done else None


def _line(tally: Tally, elapsed_s: float) -> str:
    tables = list(tally.tables.values())
    done, total = sum(t.done for t in tables), sum(t.num_tickets for t in tables)
    speed = sum(t.audio_s for t in tables) / max(elapsed_s, 1e-9)
    failed = sum(t.num_failed for t in tables)
    left_s = remaining_s(tally, elapsed_s)
    eta = "measuring" if left_s is None else f"{clock(left_s)} left"
    at_work = next((t.name for t in tables if 0 < t.done < t.num_tickets), "")
    parts = [f"{clock(elapsed_s)}", f"{done}/{total} tickets", f"{speed:.0f} s of audio per s", eta]
    return "  ".join([*parts, f"{failed} failed", at_work]).rstrip()


def _table(tally: Tally) -> RichTable:
    table = RichTable(box=None, pad_edge=False)
    for column in ("stage", "shards", "rows", "audio s/s", "unfit", "skipped", "failed"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for group in GROUPS:
        members = [t for t in tally.tables.values() if t.name.partition(".")[0] == group]
        if members:
            table.add_row(*_cells(group, members))
    return table


def _cells(group: str, members: list[TableTally]) -> list[str]:
    statuses = sum((t.by_status() for t in members), start=type(members[0].counts)())
    wall_s = sum(t.wall_s for t in members)
    speed = sum(t.audio_s for t in members) / wall_s if wall_s else 0.0
    return [
        group,
        f"{sum(t.done for t in members)}/{sum(t.num_tickets for t in members)}",
        str(sum(t.num_rows for t in members)),
        f"{speed:.0f}" if speed else "",
        *(str(statuses[status]) if statuses[status] else "" for status in ("unfit", "skipped", "failed")),
    ]


def clock(seconds: float) -> str:
    """Return seconds as ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
