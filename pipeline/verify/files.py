"""The files of a dataset: all there, no others, and byte for byte what was exported."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.columns import TABLES
from pipeline.dataset.published import Dataset
from pipeline.verify.findings import Finding
from stages.weights import file_digest


def file_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk what is wrong with files: missing, unknown, other bytes, other numbers of rows, unreadable."""
    for table in TABLES:
        named = {
            dataset.folder / table / file.name: file
            for files in dataset.said.tables.get(table, {}).values()
            for file in files.files
        }
        there = set((dataset.folder / table).glob("*.parquet"))
        for path in sorted(there - named.keys()):
            yield Finding(f"{table}/{path.name}", "file", "none", "one that is not of this dataset")
        for path, file in named.items():
            place = f"{table}/{path.name}"
            if path not in there:
                yield Finding(place, "file", f"{file.rows} rows", "none")
                continue
            if (found := file_digest(path)) != file.sha256:
                yield Finding(place, "SHA-256", file.sha256, found)
            try:
                if (rows := pq.read_metadata(path).num_rows) != file.rows:
                    yield Finding(place, "rows", file.rows, rows)
            except pa.ArrowException as error:
                yield Finding(place, "Parquet", "a file that can be read", error)
