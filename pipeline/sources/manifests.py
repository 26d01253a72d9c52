"""Manifests: recordings listed in a CSV or JSONL file, with what is known of each."""

import csv
import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas import ConfigError, Record

MANIFEST_SUFFIXES = frozenset({".csv", ".jsonl"})
NUMBERS = ("offset", "duration")
_SEPARATORS = frozenset(";\t|")


class ManifestRow(Record):
    """One line: a recording, or a stretch of one. ``offset`` and ``duration`` are in seconds."""

    path: str
    id: str | None = None
    speaker: str | None = None
    transcript: str | None = None
    language: str | None = None
    licence: str | None = None
    offset: float | None = None
    duration: float | None = None


_COLUMNS = tuple(ManifestRow.model_fields)


def read_manifest(file: Path) -> list[ManifestRow]:
    """Return the rows of ``file`` in its order; an empty cell says nothing.

    Raises ``ConfigError`` with file, line, column and value for a column that does not exist, a missing
    path, a line that cannot be parsed, and a number that is none.
    """
    lines = _csv_lines if file.suffix.lower() == ".csv" else _jsonl_lines
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return [_row(where, cells) for where, cells in lines(file, opened)]
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error


def _csv_lines(file: Path, opened: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(opened, strict=True)
    try:
        _check_columns(f"{file}, line 1", reader.fieldnames or ())
        for cells in reader:
            where = f"{file}, line {reader.line_num}"
            if None in cells:
                raise ConfigError(
                    f"{where}: more cells than columns: {cells[None]!r}; quote cells with commas"
                )
            yield where, cells
    except csv.Error as error:
        raise ConfigError(f"{file}, line {reader.reader.line_num}: not CSV: {error}") from error


def _jsonl_lines(file: Path, opened: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(opened, start=1):
        where = f"{file}, line {number}"
        if line.strip():
            cells = _read_object(where, line)
            _check_columns(where, cells)
            yield where, cells


def _read_object(where: str, line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where}: not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(value, dict):
        raise ConfigError(f'{where}: expected an object such as {{"path": …}}, got {line.strip()[:80]!r}')
    return value


def _check_columns(where: str, columns: Iterable[str]) -> None:
    named = list(columns)
    for column in named:
        if column not in _COLUMNS:
            close = difflib.get_close_matches(column, _COLUMNS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(_COLUMNS)}"
            if len(named) == 1 and (found := next(iter(_SEPARATORS & set(column)), None)):
                hint = f"cells are separated by ',', not by {found!r}"
            raise ConfigError(f"{where}: unknown column {column!r}; {hint}")
        if named.count(column) > 1:
            raise ConfigError(f"{where}: the column {column!r} is there twice; which one is meant?")
    if "path" not in named:
        raise ConfigError(f"{where}: there is no column 'path'; found: {', '.join(named) or 'nothing'}")


def _row(where: str, cells: Mapping[str, Any]) -> ManifestRow:
    said = {column: value for column, value in cells.items() if value not in (None, "")}
    if "path" not in said:
        raise ConfigError(f"{where}: 'path' is empty")
    texts = {column: _text(where, column, said[column]) for column in said if column not in NUMBERS}
    numbers = {column: _number(where, column, said[column]) for column in said if column in NUMBERS}
    return ManifestRow(**texts, **numbers)


def _text(where: str, column: str, value: object) -> str:
    if isinstance(value, str) and _is_unicode(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and column != "path":
        return str(value)
    raise ConfigError(f"{where}: {column!r} must be text, got {value!r}")


def _is_unicode(text: str) -> bool:
    """Whether ``text`` has no half of a pair of surrogates, which JSON can write and nothing can store."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _number(where: str, column: str, value: object) -> float:
    lowest = "0 or more" if column == "offset" else "more than 0"
    try:
        number = (
            float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
        )
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0 or (column == "duration" and number == 0):
        raise ConfigError(f"{where}: {column!r} must be a number of seconds, {lowest}, got {value!r}")
    return number
