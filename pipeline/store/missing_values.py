"""How the rows of finished shards ended, down to single takes and scores; also while others add shards."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from pipeline.store.table_store import TableStore
from schemas import NONDETERMINISTIC, Reason, Status

LEAVES = frozenset({"status", "reason", "detail"})


@dataclass(frozen=True, slots=True)
class MissingValue:
    """One row, take or score that has no value."""

    row: str
    status: Status
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Footer:
    """What a shard says of itself without its rows being read."""

    counts: dict[str, int]
    num_bytes: int
    holds_luck: bool
    """Whether its rows may hold a reason that depends on luck."""


def read_footer(store: TableStore, table: str, shard: str) -> Footer | None:
    """Return the footer of a shard, or None if it has gone."""
    path = store.path(table, shard)
    try:
        num_bytes = path.stat().st_size
        described = store.metadata(table, shard)
    except FileNotFoundError:
        return None
    found = pq.read_metadata(path)
    return Footer(described.get("counts", {}), num_bytes, _may_be_nondeterministic(found))


def statuses_of(counts: Mapping[str, int]) -> Counter[str]:
    """Return rows by status, given rows by outcome, such as ``failed/error``."""
    statuses: Counter[str] = Counter()
    for outcome, number in counts.items():
        statuses[outcome.partition("/")[0]] += number
    return statuses


def missing_values(store: TableStore, table: str, shard: str) -> Iterator[MissingValue]:
    """Yield what has no value in a shard; nothing if the shard has gone."""
    try:
        schema = store.schema(table, shard)
    except FileNotFoundError:
        return
    paths = [schema.column(index).path for index in range(len(schema))]
    kept = [path for path in paths if path == "id" or path.rpartition(".")[2] in LEAVES]
    rows = store.columns(table, shard, kept).to_pylist()
    for row in rows:
        yield from _missing_values_in(row["id"], row)


def _missing_values_in(row: str, value: Any) -> Iterator[MissingValue]:
    if isinstance(value, list):
        for item in value:
            yield from _missing_values_in(row, item)
    elif isinstance(value, dict):
        if value.get("reason") is not None:
            yield MissingValue(
                row, Status(value["status"]), Reason(value["reason"]), value.get("detail") or ""
            )
        for inner in value.values():
            yield from _missing_values_in(row, inner)


def _may_be_nondeterministic(found: Any) -> bool:
    """Whether the least and the greatest reason of a column leave room for one of luck."""
    for group in range(found.num_row_groups):
        for index in range(found.num_columns):
            column = found.row_group(group).column(index)
            statistics = column.statistics
            if column.path_in_schema.rpartition(".")[2] != "reason" or statistics is None:
                continue
            if statistics.has_min_max and any(
                statistics.min <= r <= statistics.max for r in NONDETERMINISTIC
            ):
                return True
    return False
