"""Datasets that were tampered with, and what is then found to be wrong with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dataset.description import MARK
from pipeline.verify.verify import verify_dataset
from stages.weights.files import file_digest

Rows = list[dict[str, Any]]
Change = Callable[[Rows], Any]


def tamper(dataset: Path, change: Change, table: str = "pairs", *, cover_up: bool = True) -> None:
    """Change the rows of a table; to cover it up, its file's digest is made to fit."""
    (file,) = (dataset / table).glob("*.parquet")
    read = pq.read_table(file)
    rows = read.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=read.schema), file)
    if cover_up:
        said = json.loads((dataset / MARK).read_text())
        said["tables"][table]["train"]["files"][0]["sha256"] = file_digest(file)
        (dataset / MARK).write_text(json.dumps(said))


def retold(dataset: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change what the dataset says of itself."""
    said = json.loads((dataset / MARK).read_text())
    change(said)
    (dataset / MARK).write_text(json.dumps(said))


def found(dataset: Path, rows: int | None = None) -> list[str]:
    """Return what is wrong, as told."""
    return [str(finding) for finding in verify_dataset(dataset, rows=rows).findings]


def pairs_of(dataset: Path) -> Rows:
    """Return the rows of pairs."""
    (file,) = (dataset / "pairs").glob("*.parquet")
    rows: Rows = pq.read_table(file).to_pylist()
    return rows
