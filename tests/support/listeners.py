"""Listeners whose taste is known, for runs that are made up."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.resolve import ResolvedConfig
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from pipeline.tables.inventory import Inventory
from pipeline.tables.sql import RunTables


def tables_of(run: ResolvedConfig, workspace: Workspace) -> RunTables:
    """Return the tables of a run as an audit against listeners reads them."""
    graph = assemble(run, workspace, keep=False)
    inventory = Inventory.of(run, graph, dataset_key="", audit_key="", started_at_s=0)
    return RunTables(inventory, workspace.store)


def scores_in(tables: RunTables, name: str) -> Mapping[str, float]:
    """Return one score of every candidate, by the candidate's name in a dataset."""
    query = "SELECT concat(id, '/', model, '/', take) AS candidate, value FROM scores WHERE name = ?"
    return {row["candidate"]: row["value"] for row in tables.rows(f"{query} ORDER BY candidate", name)}


def write_ratings(path: Path, columns: str, rows: Iterable[Sequence[Any]]) -> Path:
    """Write a CSV of ratings."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split(","))
        writer.writerows(rows)
    return path
