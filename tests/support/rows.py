"""What the tables of a workspace hold, for stories that count."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.sources.shards import ShardEntry
from pipeline.store.arrow import rows_of


def ids_of(path: Path) -> list[str]:
    """Return the ids of the rows of one shard."""
    ids: list[str] = pq.read_table(path, columns=["id"])["id"].to_pylist()
    return ids


def outcomes(workspace: Path, table: str) -> dict[str, str]:
    """Return status and reason of every row of a table, as ``failed/error``, by the name of the clip."""
    found = {}
    for path in workspace.glob(f"tables/{table}-*/*.parquet"):
        for row in pq.read_table(path, columns=["id", "status", "reason"]).to_pylist():
            clip = row["id"].removeprefix("clips/").partition(":")[0]
            found[clip] = "/".join(part for part in (row["status"], row["reason"]) if part)
    return found


def details(workspace: Path, table: str) -> dict[str, str | None]:
    """Return what every row of a table says of its outcome, by the name of the clip."""
    shards = [
        pq.read_table(p, columns=["id", "detail"]) for p in workspace.glob(f"tables/{table}-*/*.parquet")
    ]
    found = [row for shard in shards for row in shard.to_pylist()]
    return {row["id"].removeprefix("clips/").partition(":")[0]: row["detail"] for row in found}


def assert_complete(workspace: Path) -> None:
    """Assert that every shard holds exactly the rows of the plan, and that no draft is left."""
    assert not list(workspace.rglob("*draft*"))
    assert not list(workspace.rglob("*.journal"))
    for shard, planned in _planned(workspace):
        for path in workspace.glob(f"tables/*/{shard}.parquet"):
            if path.parent.name.startswith("ingest-"):
                assert ids_of(path) == _listed(workspace, shard), path
            else:
                assert ids_of(path) == planned, path


def _planned(workspace: Path) -> Iterator[tuple[str, list[str]]]:
    for path in sorted(workspace.glob("tables/plan-*/*.parquet")):
        yield path.stem, ids_of(path)


def _listed(workspace: Path, shard: str) -> list[str]:
    entries = rows_of(ShardEntry, pq.read_table(workspace / "catalogue" / "speech.parquet"))
    return [entry.source.id for entry in entries if f"{entry.shard:05d}" == shard.partition("-")[0]]
