"""The files of a dataset: all there, no others, and byte for byte what was exported."""

from collections.abc import Iterator

from pipeline.dataset.description import CARD
from pipeline.dataset.published import Dataset
from pipeline.dataset.wholeness import is_litter
from pipeline.store.dataset_columns import TABLES, DatasetTable
from pipeline.verify.findings import Finding
from schemas import DamagedFileError


def file_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk what is wrong with files: missing, unknown, other bytes, other numbers of rows, unreadable."""
    if not dataset.files.holds(CARD):
        yield Finding(CARD, "file", "a card", "none")
    for table in TABLES:
        named = {
            file.name: file
            for files in dataset.description.tables.get(table, {}).values()
            for file in files.files
        }
        yield from _sum_findings(dataset, table)
        there = set(dataset.files.names(table))
        for name in sorted(name for name in there - named.keys() if not is_litter(name)):
            yield Finding(f"{table}/{name}", "file", "none", "one that is not of this dataset")
        for name, file in named.items():
            place = f"{table}/{name}"
            if not dataset.files.holds(place):
                yield Finding(place, "file", f"{file.rows} rows", "none")
                continue
            if (found := dataset.files.digest_of(table, name)) != file.sha256:
                yield Finding(place, "SHA-256", file.sha256, found)
            try:
                with dataset.files.open_part(table, name) as opened:
                    rows = opened.metadata.num_rows
                if rows != file.rows:
                    yield Finding(place, "rows", file.rows, rows)
            except DamagedFileError as error:
                yield Finding(place, "Parquet", "a file that can be read", error.why)


def _sum_findings(dataset: Dataset, table: DatasetTable) -> Iterator[Finding]:
    for split, files in dataset.description.tables.get(table, {}).items():
        if files.rows != (rows := sum(file.rows for file in files.files)):
            yield Finding(f"{table}/{split}", "rows", files.rows, rows)
