"""A published dataset, read row by row without the run that it came from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.dataset.columns import AUDIO, DatasetTable
from pipeline.export import MARK, DatasetDescription, read_description
from schemas import Split, UserError

DatasetRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The folder of a dataset, and what it says of itself."""

    folder: Path
    said: DatasetDescription

    @property
    def num_pairs(self) -> int:
        """The number of pairs in its files."""
        return self.num_rows("pairs")

    def num_rows(self, table: DatasetTable) -> int:
        """Return the number of rows in the files of a table."""
        return sum(pq.read_metadata(path).num_rows for _, path in self.files(table))

    def files(self, table: DatasetTable) -> Iterator[tuple[Split, Path]]:
        """Walk the files of a table that it names."""
        for split, files in self.said.tables.get(table, {}).items():
            for file in files.files:
                yield split, self.folder / table / file.name

    def rows(self, table: DatasetTable, *, without: Collection[str] = ()) -> Iterator[tuple[Split, DatasetRow]]:
        """Walk the rows of a table without their audio, with the split that their file is of."""
        for split, path in self.files(table):
            with pq.ParquetFile(path) as file:
                light = [f.name for f in file.schema_arrow if f.type != AUDIO and f.name not in without]
                for group in range(file.num_row_groups):
                    for row in file.read_row_group(group, columns=light, use_threads=False).to_pylist():
                        yield split, row

    def pairs(self, numbers: Sequence[int], columns: Sequence[str] | None = None) -> Iterator[DatasetRow]:
        """Walk the pairs with these numbers, counted from 0 over all files; with audio, unless told."""
        return self.taken("pairs", numbers, columns)

    def taken(
        self, table: DatasetTable, numbers: Sequence[int], columns: Sequence[str] | None = None
    ) -> Iterator[DatasetRow]:
        """Walk the rows of a table with these numbers, as ``pairs`` does."""
        wanted, first = frozenset(numbers), 0
        for _, path in self.files(table):
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    held = file.metadata.row_group(group).num_rows
                    here = sorted(wanted.intersection(range(first, first + held)))
                    if here:
                        rows = file.read_row_group(group, columns=columns, use_threads=False)
                        yield from rows.take([number - first for number in here]).to_pylist()
                    first += held


def open_dataset(folder: Path) -> Dataset:
    """Return the dataset in ``folder``. Raises ``UserError`` if there is none that this program can read."""
    if not (folder / MARK).is_file():
        raise UserError(
            f"{folder} is no dataset of this program: it has no {MARK}; one on the hub is "
            "verified in a folder that it was downloaded to"
        )
    said = read_description(folder)
    if said is None:
        raise UserError(
            f"{folder / MARK} was written by another version of this program; verify with that one"
        )
    return Dataset(folder, said)
