"""Parquet files as ``datasets`` and its viewer like them: cut by bytes, audio uncompressed, pages indexed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
"""Content-defined chunks, as ``datasets`` writes them: an upload after a change sends only what changed."""
MEGABYTE = 10**6


class SplitWriter:
    """Writes the rows of one split into numbered files, each under a size, in the order they come."""

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
        self._written_bytes = 0
        self._drafts: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self.num_rows = 0

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        size = sum(len(cell["bytes"]) for cell in row.values() if isinstance(cell, dict) and "bytes" in cell)
        if self._held and self._held_bytes + size > self._group_bytes:
            self._flush()
        self._held.append(row)
        self._held_bytes += size
        self.num_rows += 1

    def close(self) -> list[Path]:
        """Write what is left, give the files their final names, and return them."""
        if self._held or not self._drafts:
            self._flush()
        self._close_file()
        total = len(self._drafts)
        files = []
        for index, draft in enumerate(self._drafts):
            files.append(draft.rename(self._folder / f"{self._split}-{index:05d}-of-{total:05d}.parquet"))
        return files

    def _flush(self) -> None:
        if self._writer is not None and self._written_bytes + self._held_bytes > self._file_bytes:
            self._close_file()
        if self._writer is None:
            self._writer = self._opened()
        if self._held:  # ``datasets`` cannot read a row group without rows
            table = pa.Table.from_pylist(self._held, schema=self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._written_bytes += self._held_bytes
        self._held, self._held_bytes = [], 0

    def _opened(self) -> pq.ParquetWriter:
        draft = self._folder / f"{self._split}-{len(self._drafts):05d}.draft"
        self._drafts.append(draft)
        self._written_bytes = 0
        return pq.ParquetWriter(
            draft,
            self._schema,
            compression=dict(_compression(self._schema)),
            use_dictionary=False,
            write_page_index=True,
            use_content_defined_chunking=CHUNKING,
        )

    def _close_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _compression(schema: pa.Schema) -> Iterable[tuple[str, str]]:
    for field in schema:
        if pa.types.is_struct(field.type):
            yield f"{field.name}.bytes", "none"
            yield f"{field.name}.path", "zstd"
        elif pa.types.is_list(field.type):
            yield f"{field.name}.list.element", "zstd"
        else:
            yield field.name, "zstd"
