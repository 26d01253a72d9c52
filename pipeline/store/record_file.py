"""Records in one Parquet file of their own, such as a catalogue."""

from collections.abc import Sequence
from typing import TypeVar

import pyarrow.parquet as pq

from pipeline.store.arrow import rows_of, table_of
from pipeline.store.damage import reading
from pipeline.store.files import StoredFile
from schemas import Record

R = TypeVar("R", bound=Record)


def read_records(file: StoredFile, record: type[R]) -> list[R]:
    """Return the records in a file; none if it is not there. Raises ``DamagedFileError``."""
    try:
        with reading(str(file)), file.files.open(file.name) as source, pq.ParquetFile(source) as opened:
            return rows_of(record, opened.read())
    except FileNotFoundError:
        return []


def write_records(file: StoredFile, record: type[R], rows: Sequence[R]) -> None:
    """Write a file of records whole, or not at all."""
    table = table_of(record, rows)
    file.put(lambda opened: pq.write_table(table, opened, compression="zstd"))
