"""How pages write numbers, times, intervals and settings: the filters of their templates."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.audit.records import Interval
from pipeline.text import format_bytes, format_clock, format_digits

_NOTHING = 1e-12
SHORT_S = 0.1
MINUTE_S, HOUR_S = 60, 3600


def format_number(value: float, figures: int = 4) -> str:
    """Return a score or a setting with a few figures; what is left of a difference of equals is nothing."""
    if abs(value) < _NOTHING:
        return "0"
    said = f"{value:.{figures}g}" if abs(value) < 10**figures else f"{value:,.0f}"
    return said.replace("-", "−")


def format_elapsed(seconds: float) -> str:
    """Return a time with as much of it as matters: ``1.2 s``, ``2:03 min``, ``1:02:03 h``."""
    if seconds < SHORT_S:
        return f"< {SHORT_S} s" if seconds else "–"
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    return f"{format_clock(seconds)} {'min' if round(seconds) < HOUR_S else 'h'}"


def format_utc(seconds: float) -> str:
    """Return seconds since 1970 as a date and a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def format_settings(found: Mapping[str, Any]) -> str:
    """Return settings or facts as words, but for what was not set; a recording of a pool goes by its name."""
    said = {name: value for name, value in found.items() if name != "applied" and value is not None}
    return ", ".join(f"{name} {_format_setting(value)}" for name, value in said.items())


def _format_setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, Mapping):
        return str(value["id"]) if "id" in value else f"({format_settings(value)})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(_format_setting(inner) for inner in value)
    return "none" if value is None else str(value)


def format_share(found: Interval | None) -> str:
    """Return a share in percent."""
    return _format_bounds(found, _format_hundredths, "%")


def format_points(found: Interval | None) -> str:
    """Return a difference of shares in percentage points, without the unit."""
    return _format_bounds(found, _format_hundredths, "")


def format_interval(found: Interval | None) -> str:
    """Return a value in units of its score."""
    return _format_bounds(found, lambda value: format_number(value, figures=3), "")


def _format_hundredths(value: float) -> str:
    return f"{100 * value:.1f}".replace("-", "−")


def _format_bounds(found: Interval | None, said: Callable[[float], str], unit: str) -> str:
    if found is None:
        return "–"
    bounds = "" if found.low is None or found.high is None else f" ({said(found.low)} to {said(found.high)})"
    return f"{said(found.value)}{unit}{bounds}"


FILTERS: Mapping[str, Callable[..., str]] = {
    "few_digits": format_digits,
    "interval": format_interval,
    "number": format_number,
    "points": format_points,
    "settings": format_settings,
    "share": format_share,
    "size": format_bytes,
    "spent": format_elapsed,
    "utc": format_utc,
}
