"""The files of a dataset: all there, no others, and byte for byte what was exported."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.description import CARD
from pipeline.dataset.published import Dataset
from pipeline.dataset.wholeness import is_litter
from pipeline.store.dataset_columns import TABLES, DatasetTable
from pipeline.verify.findings import Finding
from stages.weights.files import file_digest


def file_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk what is wrong with files: missing, unknown, other bytes, other numbers of rows, unreadable."""
    if not (dataset.folder / CARD).is_file():
        yield Finding(CARD, "file", "a card", "none")
    for table in TABLES:
        named = {
            dataset.folder / table / file.name: file
            for files in dataset.description.tables.get(table, {}).values()
            for file in files.files
        }
        yield from _sum_findings(dataset, table)
        there = set((dataset.folder / table).glob("*"))
        for path in sorted(path for path in there - named.keys() if not is_litter(path.name)):
            yield Finding(f"{table}/{path.name}", "file", "none", "one that is not of this dataset")
        for path, file in named.items():
            place = f"{table}/{path.name}"
            if path not in there or not path.is_file():
                yield Finding(place, "file", f"{file.rows} rows", "none")
                continue
            if (found := file_digest(path)) != file.sha256:
                yield Finding(place, "SHA-256", file.sha256, found)
            try:
                if (rows := pq.read_metadata(path).num_rows) != file.rows:
                    yield Finding(place, "rows", file.rows, rows)
            except (OSError, pa.ArrowException) as error:
                yield Finding(place, "Parquet", "a file that can be read", error)


def _sum_findings(dataset: Dataset, table: DatasetTable) -> Iterator[Finding]:
    for split, files in dataset.description.tables.get(table, {}).items():
        if files.rows != (rows := sum(file.rows for file in files.files)):
            yield Finding(f"{table}/{split}", "rows", files.rows, rows)
