"""Lines of a CSV file that people wrote: each is a row, or a mistake with its place."""

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from pipeline.sources.folders import is_audio_name
from pipeline.store.files import StoredFile
from schemas import ConfigError

_SEPARATORS = frozenset(";\t|")
_ON_QUOTES = "a quote that is part of a text is written twice, inside quotes"
_LINE_BREAK = re.compile("\r\n|\r|\n")

ListingFile = Path | StoredFile
"""A file of this machine, or an object of a store."""


@contextmanager
def open_listing(file: ListingFile) -> Iterator[TextIO]:
    """Open a file of lines. Raises ``ConfigError`` if it cannot be read, or is not UTF-8."""
    try:
        with _open_text(file) as opened:
            yield opened
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        why = error.strerror or "it is not there"
        raise ConfigError(f"{file}: cannot be read: {why}") from error


def _open_text(file: ListingFile) -> TextIO:
    how: Any = {"encoding": "utf-8-sig", "newline": ""}
    if isinstance(file, StoredFile):
        return io.TextIOWrapper(io.BytesIO(file.read()), **how)
    return cast("TextIO", file.open(**how))


def checked_lines(file: ListingFile, opened: Iterable[str]) -> Iterator[str]:
    """Walk the lines. Raises ``ConfigError`` for signs that no text has and that would end up in names."""
    for number, line in enumerate(opened, start=1):
        if "\0" in line:
            raise ConfigError(f"{file}, line {number}: a NUL byte; the file is not UTF-8, or damaged")
        if line.startswith("\ufeff"):
            raise ConfigError(
                f"{file}, line {number}: a byte order mark inside the file: it was joined from several; take "
                "the mark out"
            )
        yield line


def csv_rows(
    file: ListingFile,
    opened: Iterable[str],
    check_columns: Callable[[str, Sequence[str]], None],
    aside: str = "",
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk the rows with the place of each, which errors begin with; ``check_columns`` sees the names first.

    Every line is a row, blank, or part of a cell that holds line breaks. Raises ``ConfigError`` for a line
    that cannot be parsed, one with fewer or more cells than columns, and one that an open quote has
    swallowed; ``aside`` is then what else its writer may like to know.
    """
    reader = csv.reader(opened, strict=True)
    first = 1
    try:
        columns = next(reader, [])
        check_columns(f"{file}, line 1", columns)
        first = reader.line_num + 1
        for cells in reader:
            if cells:
                where = f"{file}, line {first}"
                _check_cells(where, columns, cells, aside)
                yield where, dict(zip(columns, cells, strict=True))
            first = reader.line_num + 1
    except csv.Error as error:
        unclosed = "the quote that opens here is never closed"
        said = unclosed if "unexpected end" in str(error) else f"{error} in the row that begins here"
        raise ConfigError(f"{file}, line {first}: not CSV: {said}; {_ON_QUOTES}") from error


def _check_cells(where: str, columns: Sequence[str], cells: Sequence[str], aside: str) -> None:
    if len(cells) > len(columns):
        extra = list(cells[len(columns) :])
        raise ConfigError(f"{where}: more cells than columns: {extra!r}; quote cells with commas")
    if swallowed := [
        line for cell in cells for line in _LINE_BREAK.split(cell)[1:] if _is_row(line, columns)
    ]:
        raise ConfigError(
            f"{where}: a quote opens here and takes in {swallowed[0]!r}, which looks like a row of its own; "
            f"{_ON_QUOTES}{aside}"
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


def check_column_names(where: str, named: Sequence[str], known: Sequence[str]) -> None:
    """Raise ``ConfigError`` for a column without a name, an unknown one, and one that is there twice."""
    for column in named:
        if not column.strip():
            raise ConfigError(f"{where}: a column without a name; does the line end with a comma?")
        if column not in known:
            close = difflib.get_close_matches(column, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            if len(named) == 1 and (found := next(iter(_SEPARATORS & set(column)), None)):
                hint = f"cells are separated by ',', not by {found!r}"
            raise ConfigError(f"{where}: unknown column {column!r}; {hint}")
        if named.count(column) > 1:
            raise ConfigError(f"{where}: the column {column!r} is there twice; which one is meant?")
