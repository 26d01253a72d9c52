"""How pages write numbers, times, intervals and settings: the filters of their templates."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.audit.records import Interval
from pipeline.progress import clock
from pipeline.wording import few_digits, size

NOTHING = 1e-12
SHORT_S = 0.1
MINUTE_S, HOUR_S = 60, 3600


def number(value: float, figures: int = 4) -> str:
    """Return a score or a setting with a few figures; what is left of a difference of equals is nothing."""
    if abs(value) < NOTHING:
        return "0"
    said = f"{value:.{figures}g}" if abs(value) < 10**figures else f"{value:,.0f}"
    return said.replace("-", "−")


def spent(seconds: float) -> str:
    """Return a time with as much of it as matters: ``1.2 s``, ``2:03 min``, ``1:02:03 h``."""
    if seconds < SHORT_S:
        return f"< {SHORT_S} s" if seconds else "–"
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    return f"{clock(seconds)} {'min' if round(seconds) < HOUR_S else 'h'}"


def utc(seconds: float) -> str:
    """Return seconds since 1970 as a date and a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def settings(found: Mapping[str, Any]) -> str:
    """Return settings or facts as words, but for what was not set; a recording of a pool goes by its name."""
    said = {name: value for name, value in found.items() if name != "applied" and value is not None}
    return ", ".join(f"{name} {_setting(value)}" for name, value in said.items())


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        return str(value["id"]) if "id" in value else f"({settings(value)})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(_setting(inner) for inner in value)
    return "none" if value is None else str(value)


def share(found: Interval | None) -> str:
    """Return a share in percent."""
    return _with_bounds(found, _hundredths, "%")


def points(found: Interval | None) -> str:
    """Return a difference of shares in percentage points, without the unit."""
    return _with_bounds(found, _hundredths, "")


def interval(found: Interval | None) -> str:
    """Return a value in units of its score."""
    return _with_bounds(found, lambda value: number(value, figures=3), "")


def _hundredths(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", "−")


def _with_bounds(found: Interval | None, said: Callable[[float], str], unit: str) -> str:
    if found is None:
        return "–"
    bounds = "" if found.low is None or found.high is None else f" ({said(found.low)} to {said(found.high)})"
    return f"{said(found.value)}{unit}{bounds}"


FILTERS: Mapping[str, Callable[..., str]] = {
    "few_digits": few_digits,
    "interval": interval,
    "number": number,
    "points": points,
    "settings": settings,
    "share": share,
    "size": size,
    "spent": spent,
    "utc": utc,
}
