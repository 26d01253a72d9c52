"""Rows in one file that somebody named: Parquet or CSV, whole or not at all."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.dataset_columns import Columns
from pipeline.store.local_files import file_at
from schemas import UserError

ROW_SUFFIXES = (".parquet", ".csv")


def require_row_file(path: Path, option: str) -> None:
    """Raise ``UserError``, naming the option, for a file that rows cannot be written to."""
    if path.suffix.lower() not in ROW_SUFFIXES:
        raise UserError(f"{option} {path}: the file ends with {' or '.join(ROW_SUFFIXES)}")
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        what = "is a folder" if path.is_dir() else f"there is no folder {folder}"
        raise UserError(f"{option} {path}: {what}; name a file in a folder that is there")


def write_row_file(path: Path, rows: Sequence[Mapping[str, Any]], columns: Columns) -> None:
    """Write the rows; in CSV a list is JSON, and what is not there is empty."""
    file_at(path).put(_parquet(rows, columns) if path.suffix.lower() == ".parquet" else _csv(rows, columns))


def _parquet(rows: Sequence[Mapping[str, Any]], columns: Columns) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=pa.schema(columns.items())), buffer)
    return buffer.getvalue()


def _csv(rows: Sequence[Mapping[str, Any]], columns: Columns) -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value) if value else ""
    return value
