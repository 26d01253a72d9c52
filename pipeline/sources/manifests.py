"""Manifests: recordings listed in a CSV or JSONL file, with what is known of each."""

import csv
import difflib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.sources.cell_text import read_text
from pipeline.sources.folders import is_audio_name
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

    Every line is a row, blank, or part of a cell that holds line breaks. Raises ``ConfigError`` with file,
    line, column and value for a column that does not exist, a missing path, a line that cannot be parsed, one
    with fewer or more cells than columns, one that an open quote has swallowed, and a number that is none.
    """
    lines = _csv_lines if file.suffix.lower() == ".csv" else _jsonl_lines
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return [_row(where, cells) for where, cells in lines(file, _checked_lines(file, opened))]
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error


def _checked_lines(file: Path, opened: Iterable[str]) -> Iterator[str]:
    """Yield the lines. Raises ``ConfigError`` for signs that no text has and that would end up in names."""
    for number, line in enumerate(opened, start=1):
        if "\0" in line:
            raise ConfigError(f"{file}, line {number}: a NUL byte; the file is not UTF-8, or damaged")
        if line.startswith("\ufeff"):
            raise ConfigError(
                f"{file}, line {number}: a byte order mark inside the file: it was joined from several; take "
                "the mark out"
            )
        yield line


def _csv_lines(file: Path, opened: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.reader(opened, strict=True)
    first = 1
    try:
        columns = next(reader, [])
        _check_columns(f"{file}, line 1", columns)
        first = reader.line_num + 1
        for cells in reader:
            if cells:
                where = f"{file}, line {first}"
                _check_cells(where, columns, cells)
                yield where, dict(zip(columns, cells, strict=True))
            first = reader.line_num + 1
    except csv.Error as error:
        unclosed = "the quote that opens here is never closed"
        said = unclosed if "unexpected end" in str(error) else f"{error} in the row that begins here"
        raise ConfigError(f"{file}, line {first}: not CSV: {said}; {_ON_QUOTES}") from error


_ON_QUOTES = "a quote that is part of a text is written twice, inside quotes"
_LINE_BREAK = re.compile("\r\n|\r|\n")


def _check_cells(where: str, columns: Sequence[str], cells: Sequence[str]) -> None:
    if len(cells) > len(columns):
        extra = list(cells[len(columns) :])
        raise ConfigError(f"{where}: more cells than columns: {extra!r}; quote cells with commas")
    if swallowed := [
        line for cell in cells for line in _LINE_BREAK.split(cell)[1:] if _is_row(line, columns)
    ]:
        raise ConfigError(
            f"{where}: a quote opens here and takes in {swallowed[0]!r}, which looks like a row of its own; "
            f"{_ON_QUOTES}, and a text of several lines can be written in JSONL"
        )
    if len(cells) < len(columns):
        raise ConfigError(
            f"{where}: fewer cells than columns ({len(cells)} of {len(columns)}); an empty cell says "
            "nothing, but needs its comma"
        )
    if list(cells) == list(columns):
        raise ConfigError(f"{where}: the columns are named once more: the file was joined from several")


def _is_row(line: str, columns: Sequence[str]) -> bool:
    """Whether a line inside a cell is likely to be a row that an open quote has swallowed."""
    parts = line.split(",")
    return len(parts) >= len(columns) or any(is_audio_name(part.strip()) for part in parts)


def _jsonl_lines(file: Path, opened: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(opened, start=1):
        where = f"{file}, line {number}"
        if line.strip():
            cells = _read_object(where, line)
            _check_columns(where, cells)
            yield where, cells


def _read_object(where: str, line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line, object_pairs_hook=partial(_object, where))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{where}: not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(value, dict):
        raise ConfigError(f'{where}: expected an object such as {{"path": …}}, got {line.strip()[:80]!r}')
    return value


def _object(where: str, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, number in Counter(name for name, _ in pairs).items() if number > 1)
        raise ConfigError(f"{where}: the key {twice!r} is there twice; which one is meant?")
    return found


def _check_columns(where: str, columns: Iterable[str]) -> None:
    named = list(columns)
    for column in named:
        if not column.strip():
            raise ConfigError(f"{where}: a column without a name; does the line end with a comma?")
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
    numbers = {
        column: _number(where, column, value)
        for column, value in cells.items()
        if column in NUMBERS and value not in (None, "")
    }
    path = cells["path"]
    if isinstance(path, int | float) and not isinstance(path, bool):
        raise ConfigError(f"{where}: 'path' must be text, got {path!r}")
    texts = {
        column: read_text(where, column, value) for column, value in cells.items() if column not in NUMBERS
    }
    if not (texts["path"] or "").strip():
        raise ConfigError(f"{where}: 'path' is empty")
    return ManifestRow(**texts, **numbers)


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
