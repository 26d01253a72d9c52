"""The files of a dataset, as ``datasets`` and its viewer like them: cut by bytes, in numbered files."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.dataset.background import Background
from pipeline.store.parquet_draft import ParquetDraft, TableDraft
from schemas import Digest, Record, Split

MEGABYTE = 10**6
ROWS_PER_GROUP = 5_000
"""At most: rows without audio are small on disk, but not in memory."""
SCALAR_BYTES = 8
LENGTH_BYTES = 4
"""Parquet writes the length of a text or of bytes before it."""


class DatasetFile(Record):
    """One file of a dataset."""

    name: str
    rows: int
    num_bytes: int
    sha256: Digest


class SplitFiles(Record):
    """The files of one split of one table."""

    rows: int
    decoded_bytes: int
    """What the rows take in memory."""
    files: tuple[DatasetFile, ...]

    @property
    def num_bytes(self) -> int:
        """What the files take on disk."""
        return sum(file.num_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How large files and row groups may be, in megabytes."""

    file_mb: int
    row_group_mb: int


class TableWriter:
    """Writes the rows of one table into a folder, each to its split, in the order they come."""

    def __init__(self, folder: Path, schema: pa.Schema, cut: FileLimits, background: Background) -> None:
        self._draft = TableDraft(folder)
        self._schema = schema
        self._cut = cut
        self._background = background
        self._splits: dict[str, SplitWriter] = {}

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        self._split(row["split"]).add(row)

    def finish(self) -> None:
        """Begin to write what is left; no row comes after this."""
        if not self._splits:  # no row at all is an answer, and the dataset still opens
            self._split(Split.TRAIN)
        for writer in self._splits.values():
            writer.finish()

    def close(self) -> dict[Split, SplitFiles]:
        """Return the files of each split that has any, once they are whole."""
        closed = {split: writer.close() for split, writer in self._splits.items()}
        self._draft.sync()
        return {split: closed[split] for split in Split if split in closed}

    def _split(self, split: str) -> "SplitWriter":
        if split not in self._splits:
            place = self._draft, split
            self._splits[split] = SplitWriter(place, self._schema, self._cut, self._background)
        return self._splits[split]


class SplitWriter:
    """Writes the rows of one split into numbered files, each under a size, in the order they come.

    A row that is larger than a row group may be has a group of its own.
    """

    def __init__(
        self, place: tuple[TableDraft, str], schema: pa.Schema, cut: FileLimits, background: Background
    ) -> None:
        """``place`` is the table and the name of the split."""
        self._table, self._name = place
        self._schema = schema
        self._file_bytes = cut.file_mb * MEGABYTE
        self._group_bytes = cut.row_group_mb * MEGABYTE
        self._background = background
        self._held: list[dict[str, Any]] = []
        self._held_bytes = 0
        self._decoded_bytes = 0
        self._files: list[ParquetDraft] = []
        self._digests: list[Future[str]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        size = _row_bytes(row)
        is_full = self._held_bytes + size > self._group_bytes or len(self._held) == ROWS_PER_GROUP
        if self._held and is_full:
            self._flush()
        self._held.append(row)
        self._held_bytes += size

    def finish(self) -> None:
        """Begin to write what is left."""
        self._flush()
        self._background.do(self._close_last)

    def close(self) -> SplitFiles:
        """Give the files their final names once they are whole, and return what they are."""
        self._background.wait()
        digests = [digest.result() for digest in self._digests]
        total = len(self._files)
        names = [f"{self._name}-{index:05d}-of-{total:05d}.parquet" for index in range(total)]
        files = tuple(map(self._rename_file, self._files, names, digests))
        rows = sum(file.rows for file in files)
        return SplitFiles(rows=rows, decoded_bytes=self._decoded_bytes, files=files)

    def _flush(self) -> None:
        # made here, where Python works: what the background does is all without its lock
        table, num_bytes = pa.Table.from_pylist(self._held, schema=self._schema), self._held_bytes
        self._held, self._held_bytes = [], 0
        self._decoded_bytes += table.nbytes
        self._background.do(lambda: self._write(table, num_bytes))

    def _write(self, table: pa.Table, num_bytes: int) -> None:
        """Write a row group, into the next file where the last has no room for it."""
        if not self._files or self._files[-1].num_bytes + num_bytes > self._file_bytes:
            self._close_last()
            self._files.append(self._table.begin(f"{self._name}-{len(self._files):05d}", self._schema))
        if table.num_rows:  # ``datasets`` cannot read a row group without rows
            self._files[-1].write(table)

    def _close_last(self) -> None:
        if self._files:
            self._files[-1].close()
            self._digests.append(self._background.submit(self._files[-1].seal))

    def _rename_file(self, file: ParquetDraft, name: str, digest: Digest) -> DatasetFile:
        file.keep_as(name)
        return DatasetFile(name=name, rows=file.rows, num_bytes=file.num_bytes, sha256=digest)


def _row_bytes(row: Mapping[str, Any]) -> int:
    """Return how many bytes a row takes in a file at most, but for the heads of pages."""
    return sum(_value_bytes(cell) for cell in row.values())


def _value_bytes(cell: Any) -> int:
    if isinstance(cell, bytes):
        return len(cell) + LENGTH_BYTES
    if isinstance(cell, str):
        return len(cell.encode()) + LENGTH_BYTES
    if isinstance(cell, dict):
        return sum(map(_value_bytes, cell.values()))
    if isinstance(cell, list) and cell and isinstance(cell[0], int | float):
        return SCALAR_BYTES * len(cell)  # codes of tokens, of which there are many
    return sum(map(_value_bytes, cell)) if isinstance(cell, list) else SCALAR_BYTES
