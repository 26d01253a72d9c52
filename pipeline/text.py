"""How numbers and tables are written for people."""

import math
import sys
from collections.abc import Sequence


def format_clock(seconds: float) -> str:
    """Return seconds as ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


UNITS = ("bytes", "kB", "MB", "GB", "TB")


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def format_bytes(num_bytes: float) -> str:
    """Return bytes as ``25 MB``."""
    value, unit = float(num_bytes), 0
    while value >= 999.5 and unit + 1 < len(UNITS):  # noqa: PLR2004 - what would be written as 1000
        value, unit = value / 1000, unit + 1
    digits = 1 if unit and value < 9.95 else 0  # noqa: PLR2004 - two figures where one would be coarse
    return f"{value:.{digits}f} {UNITS[unit]}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return ``1 shard``, ``2 shards``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def format_digits(number: float) -> str:
    """Return a measured number as ``0.75``, ``7.5``, ``75``, ``7,500``."""
    magnitude = math.floor(math.log10(number)) if number > 0 else 1
    return f"{number:,.{max(0, 1 - magnitude)}f}"


def align_columns(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return rows as lines of equally wide columns, the first ``left`` of them flush left."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
