"""Splits: nothing that a model could remember is in two of them."""

from collections import defaultdict
from collections.abc import Iterator

from pipeline.dataset.published import Dataset, DatasetRow
from pipeline.verify.findings import Finding


def split_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk speakers, utterances and recordings of pools that are in more than one split."""
    sides: dict[str, set[str]] = defaultdict(set)
    table = next(table for table in ("scores", "candidates", "pairs") if table in dataset.description.tables)
    for split, row in dataset.rows(table, without=("recipe", "degradation_steps")):
        for what in _of_one_split(row):
            sides[what].add(str(split))
    for what, splits in sides.items():
        if len(splits) > 1:
            yield Finding(what, "split", "one", ", ".join(sorted(splits)))


def _of_one_split(row: DatasetRow) -> Iterator[str]:
    yield f"source {row['source_id']}"
    yield f"utterance {row['utterance_id']}"
    if row["speaker"] is not None:
        yield f"speaker {row['speaker']} of {row['corpus']}"
    for part in row["licences"]:
        if part["part"] == "pool":
            yield f"recording {part['name']}"
