"""Tables on disk: one Parquet file is one table × one shard is one commit.

Three operations carry everything: list, read, put whole. A reader sees a whole shard or none.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.arrow import rows_of, schema_of, table_of
from pipeline.store.damage import reading
from pipeline.store.files import write_whole
from schemas import PoolRecording, Record, Row

R = TypeVar("R", bound=Record)
SHARD_SUFFIX = ".parquet"
METADATA_KEY = b"unanimous"
ROW_GROUP_BYTES = 64 * 2**20
READ_BYTES = 2**20
CHECKED: Mapping[str, bool] = {"page_checksum_verification": True}
"""How shards are read: a page that is not what was written is an error, never other rows."""


class TableStore:
    """The tables of a workspace, each a folder of shards."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def shards(self, table: str) -> set[str]:
        """Return the names of the shards that are there."""
        folder = self.root / table
        if not folder.is_dir():
            return set()
        return {
            entry.name.removesuffix(SHARD_SUFFIX)
            for entry in os.scandir(folder)
            if entry.name.endswith(SHARD_SUFFIX)
        }

    def path(self, table: str, shard: str) -> Path:
        """Return where a shard lies, or will lie."""
        return self.root / table / f"{shard}{SHARD_SUFFIX}"

    def put(
        self, table: str, shard: str, record: type[R], rows: Sequence[R], spec: Mapping[str, Any]
    ) -> None:
        """Write a shard whole: a draft beside it, fsync, rename, fsync of the folder."""
        self.put_arrow(table, shard, record, table_of(record, rows), {**spec, "counts": counts_of(rows)})

    def put_arrow(
        self, table: str, shard: str, record: type[Record], rows: pa.Table, spec: Mapping[str, Any]
    ) -> None:
        """Write a shard whose rows are Arrow already; ``spec`` then says their counts."""
        metadata = {**spec, "table": table, "shard": shard, "rows": rows.num_rows}
        told = rows.replace_schema_metadata({METADATA_KEY: json.dumps(metadata, sort_keys=True)})
        write_whole(self.path(table, shard), lambda file: _write_parquet(file, record, told))

    def read(self, table: str, shard: str, record: type[R], *, audio: bool = True) -> list[R]:
        """Return the rows of a shard; without ``audio`` the encoded bytes stay on disk."""
        columns = None if audio else [path for path in leaf_paths(record) if not path.endswith("flac")]
        with reading(self.path(table, shard)):
            return rows_of(record, self.columns(table, shard, columns))

    def walk(self, table: str, shard: str, record: type[R], *, at_once: int = 8) -> Iterator[R]:
        """Walk the rows of a shard, audio included, with no more than ``at_once`` of them in memory."""
        path = self.path(table, shard)
        with (
            reading(path),
            pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES, **CHECKED) as file,
        ):
            _require_place(file.metadata.metadata, table, shard)
            for batch in file.iter_batches(at_once, use_threads=False):
                yield from rows_of(record, pa.Table.from_batches([batch]))

    def columns(self, table: str, shard: str, paths: Sequence[str] | None) -> pa.Table:
        """Return some leaf columns of a shard, nested as they are; all of them for None."""
        # opened by its name: to look for a file system by a path takes as long as to read a few columns
        with (
            reading(self.path(table, shard)),
            pa.OSFile(f"{self.root}/{table}/{shard}{SHARD_SUFFIX}") as source,
            pq.ParquetFile(source, **CHECKED) as file,
        ):
            _require_place(file.metadata.metadata, table, shard)
            return file.read(columns=None if paths is None else list(paths), use_threads=False)

    def metadata(self, table: str, shard: str) -> dict[str, Any]:
        """Return what the shard says of itself: key, spec, number of rows, counts by status and reason."""
        path = self.path(table, shard)
        with reading(path):
            return _require_place(pq.read_metadata(path).metadata, table, shard)

    def schema(self, table: str, shard: str) -> Any:
        """Return the Parquet schema of a shard. Raises ``FileNotFoundError`` if it has gone."""
        path = self.path(table, shard)
        path.stat()
        with reading(path):
            return pq.read_metadata(path).schema

    def remove(self, table: str, shard: str) -> None:
        """Take a shard away; it is then simply not done."""
        self.path(table, shard).unlink(missing_ok=True)


def _require_place(metadata: Mapping[bytes, bytes] | None, table: str, shard: str) -> dict[str, Any]:
    """Return what a shard says of itself; ``ValueError`` if it is of another place, or not ours."""
    parsed: dict[str, Any] = json.loads((metadata or {}).get(METADATA_KEY, b"{}"))
    if METADATA_KEY not in (metadata or {}):
        raise ValueError("it was not written by this program")
    if (written := (parsed.get("table"), parsed.get("shard"))) != (table, shard):
        raise ValueError(f"it is {'/'.join(map(str, written))}")
    return parsed


def counts_of(rows: Iterable[Record]) -> dict[str, int]:
    """Count rows, or their takes, by status and reason: ``ok``, ``unfit/silent`` …."""
    found = [counted for row in rows if isinstance(row, Row) for counted in row.counted]
    return dict(Counter(str(r.status) if r.reason is None else f"{r.status}/{r.reason}" for r in found))


@cache
def leaf_paths(record: type[Record]) -> tuple[str, ...]:
    """Return the Parquet paths of all leaf columns of ``record``."""
    buffer = BytesIO()
    pq.write_table(schema_of(record).empty_table(), buffer)
    schema = pq.ParquetFile(buffer).schema
    return tuple(schema.column(i).path for i in range(len(schema)))


def _write_parquet(file: Any, record: type[Record], arrow: pa.Table) -> None:
    audio = {path for path in leaf_paths(record) if path.endswith("flac")}
    pq.write_table(
        arrow,
        file,
        row_group_size=_row_group_rows(record, arrow),
        # FLAC does not shrink further, and hashing megabytes into a dictionary is pure loss
        compression={path: "none" if path in audio else "zstd" for path in leaf_paths(record)},
        use_dictionary=False,
        write_page_checksum=True,
        write_statistics=[path for path in leaf_paths(record) if path not in audio],
    )


def _row_group_rows(record: type[Record], arrow: pa.Table) -> int:
    """As many rows as keep a row group near 64 MiB; a recording of a pool has one of its own."""
    if record is PoolRecording:
        return 1
    return max(1, int(ROW_GROUP_BYTES * max(arrow.num_rows, 1) / max(arrow.nbytes, 1)))
