"""Parquet files as ``datasets`` and its viewer like them: cut by bytes, audio uncompressed, pages indexed."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.columns import AUDIO
from pipeline.store import sync_folder
from schemas import Digest, Record, Split

CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
"""Content-defined chunks, as ``datasets`` writes them: an upload after a change sends only what changed."""
MEGABYTE = 10**6
ROWS_PER_GROUP = 5_000
"""At most: rows without audio are small on disk, but not in memory."""
SCALAR_BYTES = 8


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


class TableWriter:
    """Writes the rows of one table into a folder, each to its split, in the order they come."""

    def __init__(self, folder: Path, schema: pa.Schema, *, file_mb: int, row_group_mb: int) -> None:
        folder.mkdir()
        self._folder = folder
        self._schema = schema
        self._sizes = {"file_mb": file_mb, "row_group_mb": row_group_mb}
        self._splits: dict[str, SplitWriter] = {}

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        self._split(row["split"]).add(row)

    def close(self) -> dict[Split, SplitFiles]:
        """Write what is left, and return the files of each split that has any."""
        if not self._splits:  # no row at all is an answer, and the dataset still opens
            self._split(Split.TRAIN)
        closed = {split: writer.close() for split, writer in self._splits.items()}
        sync_folder(self._folder)
        return {split: closed[split] for split in Split if split in closed}

    def _split(self, split: str) -> "SplitWriter":
        if split not in self._splits:
            self._splits[split] = SplitWriter(self._folder, split, self._schema, **self._sizes)
        return self._splits[split]


class SplitWriter:
    """Writes the rows of one split into numbered files, each under a size, in the order they come.

    A row that is larger than a row group may be has a group of its own.
    """

    def __init__(
        self, folder: Path, split: str, schema: pa.Schema, *, file_mb: int, row_group_mb: int
    ) -> None:
        self._folder = folder
        self._split = split
        self._schema = schema
        self._file_bytes = file_mb * MEGABYTE
        self._group_bytes = row_group_mb * MEGABYTE
        self._held: list[dict[str, Any]] = []
        self._held_bytes = 0
        self._decoded_bytes = 0
        self._files: list[_OpenFile] = []

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        size = _size(row)
        is_full = self._held_bytes + size > self._group_bytes or len(self._held) == ROWS_PER_GROUP
        if self._held and is_full:
            self._flush()
        self._held.append(row)
        self._held_bytes += size

    def close(self) -> SplitFiles:
        """Write what is left, give the files their final names, and return what they are."""
        if self._held or not self._files:
            self._flush()
        self._files[-1].close()
        total = len(self._files)
        names = [f"{self._split}-{index:05d}-of-{total:05d}.parquet" for index in range(total)]
        files = tuple(file.named(name) for file, name in zip(self._files, names, strict=True))
        return SplitFiles(
            rows=sum(file.rows for file in files), decoded_bytes=self._decoded_bytes, files=files
        )

    def _flush(self) -> None:
        table = pa.Table.from_pylist(self._held, schema=self._schema)
        if not self._files or self._files[-1].num_bytes + self._held_bytes > self._file_bytes:
            self._open_next()
        if self._held:  # ``datasets`` cannot read a row group without rows
            self._files[-1].write(table)
        self._decoded_bytes += table.nbytes
        self._held, self._held_bytes = [], 0

    def _open_next(self) -> None:
        if self._files:
            self._files[-1].close()
        path = self._folder / f"{self._split}-{len(self._files):05d}.draft"
        self._files.append(_OpenFile(path, self._schema))


class _OpenFile:
    """A file that is being written, and hashed as its bytes go by."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._sink = _HashedSink(path.open("wb"))
        self._rows = 0
        self._writer = pq.ParquetWriter(
            self._sink,
            schema,
            compression=dict(_compression(schema)),
            use_dictionary=False,
            write_page_index=True,
            use_content_defined_chunking=CHUNKING,
        )

    @property
    def num_bytes(self) -> int:
        """What was written so far."""
        return self._sink.num_bytes

    def write(self, table: pa.Table) -> None:
        """Write one row group."""
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._rows += table.num_rows

    def close(self) -> None:
        """Write the footer, and see the bytes on disk."""
        self._writer.close()
        self._sink.close()

    def named(self, name: str) -> DatasetFile:
        """Give the closed file its name."""
        self._path.rename(self._path.with_name(name))
        return DatasetFile(name=name, rows=self._rows, num_bytes=self.num_bytes, sha256=self._sink.sha256)


class _HashedSink:
    """What pyarrow writes to: a file, its length and its SHA-256."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.num_bytes = 0
        self.closed = False

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Take the next bytes."""
        written = self._file.write(data)
        self._hash.update(data)
        self.num_bytes += written
        return written

    def tell(self) -> int:
        """Return where the next bytes go."""
        return self.num_bytes

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._file.flush()

    def close(self) -> None:
        """Close the file once all of it is on disk."""
        if not self.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self.closed = True


def _size(value: Any) -> int:
    """Return about how many bytes a value takes in a file."""
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(each) for each in value.values())
    if isinstance(value, list):
        return sum(_size(each) for each in value)
    return SCALAR_BYTES


def _compression(schema: pa.Schema) -> Iterator[tuple[str, str]]:
    """Yield the compression of each leaf: none for audio, which does not shrink further."""
    for field in schema:
        for path in _leaves(field):
            yield path, "none" if field.type == AUDIO and path.endswith(".bytes") else "zstd"


def _leaves(field: pa.Field, above: str = "") -> Iterator[str]:
    path = f"{above}{field.name}"
    if pa.types.is_struct(field.type):
        for child in field.type:
            yield from _leaves(child, f"{path}.")
    elif pa.types.is_list(field.type):
        yield from _leaves(field.type.value_field.with_name("element"), f"{path}.list.")
    else:
        yield path
