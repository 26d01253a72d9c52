"""How the rows of finished shards ended, down to single takes and scores; also while others add shards."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.store.table_store import METADATA_KEY, TableStore
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
    may_be_nondeterministic: bool
    """Whether its rows may hold a reason that another try may not meet."""


def read_footer(store: TableStore, table: str, shard: str) -> Footer | None:
    """Return the footer of a shard, or None if it has gone."""
    try:
        found, num_bytes = store.footer(table, shard)
    except FileNotFoundError:
        return None
    described = json.loads(found.metadata[METADATA_KEY])
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
        with store.open_shard(table, shard) as file:
            paths = [file.schema.column(index).path for index in range(len(file.schema))]
            kept = [path for path in paths if path == "id" or path.rpartition(".")[2] in LEAVES]
            rows = file.read(columns=kept).to_pylist()
    except FileNotFoundError:
        return
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
    """Whether the least and the greatest reason of a column leave room for a nondeterministic one."""
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
