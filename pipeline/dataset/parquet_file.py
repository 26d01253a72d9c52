"""One Parquet file in the making: audio uncompressed, pages indexed, cut where contents say."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.dataset_columns import AUDIO

CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
"""Content-defined chunks, as ``datasets`` writes them: an upload after a change sends only what changed."""
T = TypeVar("T")


class ParquetFile:
    """A file that is being written, one row group after the other."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
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
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
            return hashlib.file_digest(file, "sha256").hexdigest()


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


class Background:
    """Does one thing after another in a thread of its own, and takes no more than one in advance.

    Beside it a second thread does what nothing has to wait for until its outcome is asked for.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dataset")
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dataset-aside")
        self._begun: Future[Any] | None = None

    def do(self, work: Callable[[], Any]) -> None:
        """Begin ``work`` once what was begun before is done. Raises what that raised."""
        self.wait()
        self._begun = self._thread.submit(work)

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Do ``work`` in the second thread, in its turn."""
        return self._aside.submit(work)

    def wait(self) -> None:
        """Return once nothing is being done. Raises what the last work raised."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.result()

    def __enter__(self) -> Self:
        """Begin with nothing to do."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let the threads end."""
        self._thread.shutdown()
        self._aside.shutdown()
