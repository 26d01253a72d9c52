"""How the numbers of an audit are written."""

from collections.abc import Callable, Iterable, Sequence

from pipeline.audit.records import Interval


def format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table, its columns aligned for those who read it as it is; nothing without rows."""
    cells = [[_cell(text) for text in row] for row in rows]
    if not cells:
        return []
    widths = [max(3, *map(len, column)) for column in zip(head, *cells, strict=True)]
    rule = [f"{'-' * (width - 1)}{':' if place else '-'}" for place, width in enumerate(widths)]
    return [_line(row, widths) for row in (head, rule, *cells)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        text.rjust(width) if place else text.ljust(width)
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Return a text without what would end its cell, or be taken for HTML."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


def quote_code(text: str) -> str:
    """Return any text as code."""
    return "`{}`".format(text.replace("`", "'"))


def describe_number(value: float) -> str:
    """Return a value with three figures."""
    return f"{value + 0.0:.3g}"  # never -0


def describe_percent(share: float | None) -> str:
    """Return ``12.3 %``; nothing for None."""
    return "" if share is None else f"{100 * share:.1f} %"


def describe_points(share: float) -> str:
    """Return a difference of shares as ``+12.3``, in percentage points."""
    return f"{100 * share:+.1f}"


def part_of(part: int, whole: int) -> str:
    """Return ``12 (3.4 %)``."""
    return f"{part:,} ({describe_percent(part / whole)})" if whole else f"{part:,}"


def describe_share(found: Interval | None) -> str:
    """Return a share with its interval, as ``81.2 % (76.0 to 85.1)``."""
    return (
        ""
        if found is None
        else describe_percent(found.value) + _describe_interval(found, lambda end: f"{100 * end:.1f}")
    )


def describe_lead(found: Interval | None) -> str:
    """Return a difference of shares with its interval, in percentage points."""
    return "" if found is None else describe_points(found.value) + _describe_interval(found, describe_points)


def describe_value(found: Interval | None) -> str:
    """Return a value with its interval."""
    return "" if found is None else describe_number(found.value) + _describe_interval(found, describe_number)


def _describe_interval(found: Interval, write: Callable[[float], str]) -> str:
    if found.low is None or found.high is None:
        return ""
    return f" ({write(found.low)} to {write(found.high)})"
