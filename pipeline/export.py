"""From tables to the dataset: whole or not at all, and only when something in it has changed."""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.card import card_of
from pipeline.dataset_files import SplitWriter
from pipeline.dataset_rows import pair_rows, pairs_schema
from pipeline.funnel import Funnel, funnel_of
from pipeline.graph import Graph
from pipeline.resolve import Run
from pipeline.store import TableStore
from schemas import Record, Split, fingerprint_of

VERSION = 2
MARK = "unanimous.json"


class ScoreSummary(Record):
    """One score over all pairs: mean of each side, mean advantage of the chosen one."""

    name: str
    pairs: int
    chosen: float
    rejected: float
    advantage: float


class Exported(Record):
    """What a dataset says of itself."""

    key: str
    name: str
    config_hash: str
    rows: dict[str, int]
    funnel: Funnel
    scores: tuple[ScoreSummary, ...]


def dataset_key(run: Run, graph: Graph) -> str:
    """Return the fingerprint of everything that the dataset depends on."""
    return fingerprint_of(
        {
            "version": VERSION,
            "name": run.config.name,
            "description": run.config.description,
            "substitutes": run.config.substitutes,
            "export": run.config.export.model_dump(mode="json"),
            "prefer": graph.prefer.key,
            "scores": [table.key for table in graph.scores],
            "shards": [shard.name for shard in graph.shards],
        }
    )


def exported(folder: Path, key: str | None = None) -> Exported | None:
    """Return what the dataset in ``folder`` says of itself, if it is there and has the key."""
    mark = folder / MARK
    if not mark.is_file():
        return None
    found = Exported.model_validate_json(mark.read_text())
    return found if key in {None, found.key} else None


def export(run: Run, graph: Graph, store: TableStore, folder: Path) -> Exported:
    """Write the dataset to ``folder`` and return what it says of itself."""
    remove_leftovers(folder)
    draft, _ = _beside(folder)
    (draft / "pairs").mkdir(parents=True)
    summary = _Summary()
    rows = _write_pairs(run, graph, store, draft / "pairs", summary)
    result = Exported(
        key=dataset_key(run, graph),
        name=run.config.name,
        config_hash=run.config_hash,
        rows=rows,
        funnel=funnel_of(graph, store),
        scores=summary.scores(),
    )
    (draft / "README.md").write_text(card_of(run, result), encoding="utf-8")
    (draft / MARK).write_text(result.model_dump_json(indent=1), encoding="utf-8")
    _swap(draft, folder)
    return result


def _write_pairs(
    run: Run, graph: Graph, store: TableStore, folder: Path, summary: "_Summary"
) -> dict[str, int]:
    better = {name: output.better for name, output in run.outputs().items()}
    rate = run.config.ingest.sample_rate
    schema = pairs_schema(list(better), None if rate == "native" else rate)
    settings = run.config.export
    writers: dict[str, SplitWriter] = {}
    for row in pair_rows(graph, store, better):
        split = row["split"]
        if split not in writers:
            writers[split] = _writer(folder, split, schema, settings)
        writers[split].add(row)
        summary.add(row, better)
    if not writers:  # no pair at all is an answer, and the dataset still opens
        writers[Split.TRAIN] = _writer(folder, Split.TRAIN, schema, settings)
    for writer in writers.values():
        writer.close()
    return {split: writers[split].num_rows for split in Split if split in writers}


def _writer(folder: Path, split: str, schema: Any, settings: Any) -> SplitWriter:
    megabytes = {"file_mb": settings.shard_megabytes, "row_group_mb": settings.row_group_megabytes}
    return SplitWriter(folder, split, schema, **megabytes)


class _Summary:
    """Running sums of each score over the pairs that have it on both sides."""

    def __init__(self) -> None:
        self._sums: dict[str, Counter[str]] = {}

    def add(self, row: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        """Take in one pair."""
        for name in names:
            if row.get(f"margin_{name}") is not None:
                sums = self._sums.setdefault(name, Counter())
                sums["pairs"] += 1
                for side in ("chosen", "rejected", "margin"):
                    sums[side] += row[f"{side}_{name}"]

    def scores(self) -> tuple[ScoreSummary, ...]:
        """Return the means."""
        return tuple(
            ScoreSummary(
                name=name,
                pairs=sums["pairs"],
                chosen=sums["chosen"] / sums["pairs"],
                rejected=sums["rejected"] / sums["pairs"],
                advantage=sums["margin"] / sums["pairs"],
            )
            for name, sums in self._sums.items()
        )


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed export left beside the dataset."""
    for leftover in _beside(folder):
        shutil.rmtree(leftover, ignore_errors=True)


def _beside(folder: Path) -> tuple[Path, Path]:
    """Return where the draft of a dataset lies, and where the one before it waits to be removed."""
    # names that nobody gives to folders of their own: what has them is removed
    draft, old = (f".{folder.name}.unanimous-{what}" for what in ("draft", "old"))
    return folder.with_name(draft), folder.with_name(old)


def _swap(draft: Path, folder: Path) -> None:
    """Put the draft in the dataset's place."""
    _, old = _beside(folder)
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a dataset that is no longer what its tables say, at once as seen from outside."""
    _, old = _beside(folder)
    if folder.exists():
        folder.rename(old)
    shutil.rmtree(old, ignore_errors=True)


def dataset_hash(folder: Path) -> str:
    """Return one digest of all Parquet files of a dataset: names and bytes."""
    files = sorted(folder.rglob("*.parquet"))
    return fingerprint_of([[str(f.relative_to(folder)), fingerprint_of(f.read_bytes().hex())] for f in files])
