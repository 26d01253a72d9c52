"""Manifests: recordings listed in a CSV or JSONL file, with what is known of each."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pipeline.sources.cell_text import read_text
from pipeline.sources.csv_rows import ListingFile, check_column_names, checked_lines, csv_rows, open_listing
from pipeline.sources.object_audio import split_recording_url
from pipeline.store.object_urls import is_store_url
from schemas import ConfigError, Record

MANIFEST_SUFFIXES = frozenset({".csv", ".jsonl"})
NUMBERS = ("offset", "duration")


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


def read_manifest(file: ListingFile) -> list[ManifestRow]:
    """Return the rows of ``file`` in its order; an empty cell says nothing.

    Every line is a row, blank, or part of a cell that holds line breaks. Raises ``ConfigError`` with file,
    line, column and value for a column that does not exist, a missing path, a line that cannot be parsed, one
    with fewer or more cells than columns, one that an open quote has swallowed, and a number that is none.
    """
    with open_listing(file) as opened:
        return [_row(where, cells) for where, cells in _manifest_rows(file, checked_lines(file, opened))]


def _manifest_rows(file: ListingFile, lines: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if str(file).lower().endswith(".csv"):
        return csv_rows(file, lines, _check_columns, ", and a text of several lines can be written in JSONL")
    return _jsonl_lines(file, lines)


def _jsonl_lines(file: ListingFile, opened: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
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
    check_column_names(where, named, _COLUMNS)
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
    if is_store_url(texts["path"] or ""):
        _check_url(where, texts["path"] or "")
    return ManifestRow(**texts, **numbers)


def _check_url(where: str, url: str) -> None:
    try:
        split_recording_url(url)
    except ConfigError as error:
        raise ConfigError(f"{where}: 'path': {error}") from error


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
