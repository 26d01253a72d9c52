"""One Parquet file in the making: audio uncompressed, pages indexed, cut where contents say."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.dataset_columns import AUDIO
from pipeline.store.local_files import sync_folder

CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
"""Content-defined chunks, as ``datasets`` writes them: an upload after a change sends only what changed."""


class TableDraft:
    """The folder of a table in a dataset that is being written."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder

    def begin(self, name: str, schema: pa.Schema) -> "ParquetDraft":
        """Return a new file, which has a name for the time being."""
        return ParquetDraft(self._folder / f"{name}.draft", schema)

    def sync(self) -> None:
        """See the names of the files on disk."""
        sync_folder(self._folder)


class ParquetDraft:
    """A file that is being written, one row group after the other."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self.rows = 0
        self.num_bytes = 0
        """Written so far."""
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(self._file, schema, **settings_for(schema))

    def write(self, table: pa.Table) -> None:
        """Write one row group."""
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self.rows += table.num_rows
        self.num_bytes = self._file.tell()

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()
        self.num_bytes = self._file.tell()
        self._file.close()

    def seal(self) -> str:
        """See the bytes of a closed file on disk, and return their SHA-256."""
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
            return hashlib.file_digest(file, "sha256").hexdigest()

    def keep_as(self, name: str) -> None:
        """Give a sealed file the name that it keeps."""
        self._path.rename(self._path.with_name(name))


def settings_for(schema: pa.Schema) -> dict[str, Any]:
    """Return what pyarrow is told."""
    return {
        "compression": dict(_compression(schema)),
        "use_dictionary": False,
        "write_page_index": True,
        "use_content_defined_chunking": CHUNKING,
    }


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
