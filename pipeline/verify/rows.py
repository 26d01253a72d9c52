"""What rows say, all of it but the audio: differences that are right, votes that agree, tables that agree."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.dataset.columns import SIDES, TAKE, Table
from pipeline.dataset.published import Dataset, Row
from pipeline.export import Exported
from pipeline.verify.findings import Finding
from schemas.licences import most_restrictive
from stages.metrics.base import Better

CLOSE = 1e-9
"""Numbers that were calculated from published ones differ by rounding, if at all."""

Key = tuple[str, str, int]
"""A degraded utterance, a model and the number of one of its takes."""


def row_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk what is wrong with rows: counts, names, margins, votes, licences, other tables' words."""
    names = []
    candidates = dict(_candidates(dataset))
    for split, row in dataset.rows("pairs", without=("recipe", "degradation_steps")):
        names.append(row["pair_id"])
        if row["split"] != split:
            yield Finding(row["pair_id"], "split", row["split"], f"in a file of {split}")
        yield from pair_findings(row, dataset.said)
        if candidates:
            yield from _candidate_findings(row, candidates, dataset.said)
    yield from (Finding(name, "pair_id", "one row", "several") for name, n in Counter(names).items() if n > 1)
    num_ok = sum(candidate["status"] == "ok" for candidate in candidates.values())
    yield from _count_findings(dataset, len(names), num_ok)


def pair_findings(row: Row, said: Exported) -> Iterator[Finding]:
    """Walk what is wrong with one pair by itself."""
    name = row["pair_id"]
    for score in (score for metric in said.metrics for score in metric.scores):
        sides = [row[f"{side}_{score.name}"] for side in SIDES]
        margin = _margin(sides, score.better)
        if not _same(row[f"margin_{score.name}"], margin):
            yield Finding(name, f"margin_{score.name}", row[f"margin_{score.name}"], margin)
        for side, value in zip(SIDES, sides, strict=True):
            is_listed = score.name in {missing["score"] for missing in row[f"{side}_missing_scores"]}
            if is_listed is not (value is None):
                listed = "a reason for a missing score" if is_listed else "a score"
                yield Finding(name, f"{side}_{score.name}", listed, value)
    yield from _vote_findings(row, said)
    if (licence := most_restrictive(part["licence"] for part in row["licences"])) != row["row_licence"]:
        yield Finding(name, "row_licence", row["row_licence"], licence)


def _vote_findings(row: Row, said: Exported) -> Iterator[Finding]:
    """Walk the criteria that do not favour the chosen side, and a strength that is not the narrowest vote."""
    votes = []
    for criterion in said.criteria:
        margin = _margin([row[f"{side}_{criterion.metric}"] for side in SIDES], criterion.better)
        if margin is None or margin <= criterion.margin:
            what = f"vote of {criterion.metric}"
            yield Finding(row["pair_id"], what, f"more than {criterion.margin:g} for the chosen side", margin)
        else:
            votes.append(margin / criterion.scale)
    if len(votes) == len(said.criteria) and not _same(row["strength"], min(votes)):
        yield Finding(row["pair_id"], "strength", row["strength"], min(votes))


def _candidates(dataset: Dataset) -> Iterator[tuple[Key, Row]]:
    """Walk what the other tables say of candidates, if the dataset has any."""
    table: Table = "scores" if "scores" in dataset.said.tables else "candidates"
    for _, row in dataset.rows(table, without=("recipe", "degradation_steps", "licences")):
        if row["model"] is not None:
            yield (row["degraded_id"], row["model"], row["take"]), row


def _candidate_findings(row: Row, candidates: dict[Key, Row], said: Exported) -> Iterator[Finding]:
    scores = [score.name for metric in said.metrics for score in metric.scores]
    for side in SIDES:
        key = row["degraded_id"], row[f"{side}_model"], row[f"{side}_take"]
        candidate = candidates.get(key)
        if candidate is None:
            yield Finding(row["pair_id"], side, f"{key[1]} {key[2]}", "no such candidate")
            continue
        for name in (*TAKE, *scores):
            if not _same(row[f"{side}_{name}"], candidate[name]):
                what = f"{side}_{name}"
                yield Finding(
                    row["pair_id"], what, row[what], f"{candidate[name]} in the table of candidates"
                )


def _count_findings(dataset: Dataset, pairs: int, candidates: int) -> Iterator[Finding]:
    counts = {step.name: step.count for step in dataset.said.funnel.steps}
    if counts.get("pairs", pairs) != pairs:
        yield Finding("pairs", "rows", counts["pairs"], pairs)
    if dataset.said.licences and sum(dataset.said.licences.values()) != pairs:
        yield Finding("pairs", "pairs by licence", sum(dataset.said.licences.values()), pairs)
    if candidates and counts.get("candidates", candidates) != candidates:
        yield Finding("candidates", "rows with audio", counts["candidates"], candidates)


def _margin(sides: Sequence[float | None], better: Better) -> float | None:
    chosen, rejected = sides
    if chosen is None or rejected is None:
        return None
    return chosen - rejected if better is Better.HIGHER else rejected - chosen


def _same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE)
    return a == b
