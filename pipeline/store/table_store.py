"""Tables: one Parquet file is one table × one shard is one commit.

Three operations carry everything: list, read, put whole. A reader sees a whole shard or none.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from itertools import islice
from typing import IO, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.arrow import rows_of, schema_of, table_of
from pipeline.store.damage import reading
from pipeline.store.files import Files
from schemas import PoolRecording, Record, Row

R = TypeVar("R", bound=Record)
A = TypeVar("A")
_FOLDER = "tables"
_SUFFIX = ".parquet"
METADATA_KEY = b"unanimous"
AT_ONCE = 32
"""Shards of an object store that are asked for something at the same time."""
_ROUND = 1_000
ROW_GROUP_BYTES = 64 * 2**20
READ_BYTES = 2**20
_COPIED_AT_ONCE = 16 * 2**20
_CHECKED: Mapping[str, bool] = {"page_checksum_verification": True}
"""How shards are read: a page that is not what was written is an error, never other rows."""


class TableStore:
    """The tables of a workspace, each a folder of shards."""

    def __init__(self, files: Files) -> None:
        self.files = files
        """Of the workspace."""

    def shards(self, table: str) -> set[str]:
        """Return the names of the shards that are there."""
        above = len(table) + len(_FOLDER) + 2
        names = self.files.list(f"{_FOLDER}/{table}")
        return {name[above : -len(_SUFFIX)] for name in names if name.endswith(_SUFFIX)}

    def sizes(self, table: str) -> dict[str, int]:
        """Return the shards that are there, and how many bytes each has."""
        return {shard: num_bytes for _, shard, num_bytes in self._walk_sizes(f"{_FOLDER}/{table}")}

    def walk_sizes(self) -> Iterator[tuple[str, str, int]]:
        """Walk all shards of all tables: table, shard, and how many bytes it has; in any order."""
        return self._walk_sizes(_FOLDER)

    def _walk_sizes(self, folder: str) -> Iterator[tuple[str, str, int]]:
        for name, num_bytes in self.files.sizes(folder):
            _, _, place = name.removesuffix(_SUFFIX).partition("/")
            table, _, shard = place.partition("/")
            if shard and name.endswith(_SUFFIX):
                yield table, shard, num_bytes

    def stamp(self, table: str) -> str:
        """Return text that changes when a shard comes or goes."""
        return self.files.stamp(f"{_FOLDER}/{table}")

    def path(self, table: str = "", shard: str = "") -> str | None:
        """Return the path of a shard, or of the folder of tables, for libraries that open files themselves.

        None where there is none; ``open_shard`` and ``columns`` always do.
        """
        return self.files.path(self.name_of(table, shard) if table else _FOLDER)

    @property
    def workspace(self) -> str:
        """Where the workspace is, as people know it."""
        return self.files.location()

    def name_of(self, table: str, shard: str) -> str:
        """Return the name that the file of a shard has in the workspace."""
        return f"{_FOLDER}/{table}/{shard}{_SUFFIX}"

    @contextmanager
    def open_shard(self, table: str, shard: str, **settings: Any) -> Iterator[pq.ParquetFile]:
        """Open a shard, to read what is needed of it; ``settings`` are those of ``pq.ParquetFile``.

        Raises ``FileNotFoundError``, and ``DamagedFileError`` also for what cannot be read while it is open.
        """
        name = self.name_of(table, shard)
        with (
            reading(self.files.location(name)),
            self.files.open(name) as source,
            pq.ParquetFile(source, **_CHECKED, **settings) as file,
        ):
            _require_place(file.metadata.metadata, table, shard)
            yield file

    def put(
        self, table: str, shard: str, record: type[R], rows: Sequence[R], spec: Mapping[str, Any]
    ) -> None:
        """Write a shard whole, for good, or not at all."""
        self.put_arrow(table, shard, record, table_of(record, rows), {**spec, "counts": counts_of(rows)})

    def put_arrow(
        self, table: str, shard: str, record: type[Record], rows: pa.Table, spec: Mapping[str, Any]
    ) -> None:
        """Write a shard whose rows are Arrow already; ``spec`` then says their counts."""
        metadata = {**spec, "table": table, "shard": shard, "rows": rows.num_rows}
        described = rows.replace_schema_metadata({METADATA_KEY: json.dumps(metadata, sort_keys=True)})
        self.files.put(self.name_of(table, shard), lambda file: _write_parquet(file, record, described))

    def copy_shard(self, other: "TableStore", table: str, shard: str) -> None:
        """Put a shard of another store in its place here, byte for byte.

        Raises ``FileNotFoundError``, and ``DamagedFileError`` if it is not the shard of its place.
        """
        other.metadata(table, shard)
        name = self.name_of(table, shard)

        def copy(file: IO[bytes]) -> None:
            with other.files.open(name) as source:
                while piece := source.read(_COPIED_AT_ONCE):
                    file.write(piece)

        self.files.put(name, copy)

    def read(self, table: str, shard: str, record: type[R], *, audio: bool = True) -> list[R]:
        """Return the rows of a shard; without ``audio`` the encoded bytes stay on disk."""
        columns = None if audio else [path for path in leaf_paths(record) if not path.endswith("flac")]
        with reading(self.files.location(self.name_of(table, shard))):
            return rows_of(record, self.columns(table, shard, columns))

    def walk(self, table: str, shard: str, record: type[R], *, at_once: int = 8) -> Iterator[R]:
        """Walk the rows of a shard, audio included, with no more than ``at_once`` of them in memory."""
        with self.open_shard(table, shard, pre_buffer=False, buffer_size=READ_BYTES) as file:
            for batch in file.iter_batches(at_once, use_threads=False):
                yield from rows_of(record, pa.Table.from_batches([batch]))

    def columns(self, table: str, shard: str, paths: Sequence[str] | None) -> pa.Table:
        """Return some leaf columns of a shard, nested as they are; all of them for None."""
        with self.open_shard(table, shard) as file:
            return file.read(columns=None if paths is None else list(paths), use_threads=False)

    def metadata(self, table: str, shard: str) -> dict[str, Any]:
        """Return what the shard says of itself: key, spec, number of rows, counts by status and reason."""
        found, _ = self.footer(table, shard)
        return _require_place(found.metadata, table, shard)

    def for_each(self, ask: Callable[[str, str], A], places: Iterable[tuple[str, str]]) -> Iterator[A]:
        """Walk what ``ask`` returns for each table and shard, in order; many at once in an object store.

        There each is waited for, and none needs much of a processor.
        """
        if self.path() is not None:
            yield from (ask(*place) for place in places)
            return
        left = iter(places)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while some := list(islice(left, _ROUND)):
                yield from pool.map(ask, *zip(*some, strict=True))

    def footer(self, table: str, shard: str) -> tuple[Any, int]:
        """Return the Parquet footer of a shard, and how many bytes the shard has.

        Raises ``FileNotFoundError`` if it has gone, and ``DamagedFileError``.
        """
        name = self.name_of(table, shard)
        with (
            reading(self.files.location(name)),
            self.files.open(name) as source,
            pq.ParquetFile(source) as file,
        ):
            _require_place(file.metadata.metadata, table, shard)
            return file.metadata, source.size()

    def remove(self, table: str, shard: str) -> None:
        """Take a shard away; it is then simply not done."""
        self.files.remove(self.name_of(table, shard))


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
