"""What rows say, all of it but the audio: differences that are right, votes that agree, tables that agree."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.dataset.columns import SIDES
from pipeline.dataset.published import Dataset, Row
from pipeline.export import Exported
from pipeline.verify.candidates import Candidates
from pipeline.verify.findings import Finding, same
from schemas.licences import most_restrictive
from stages.metrics.base import Better

HEAVY = ("recipe", "degradation_steps")


def row_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk what is wrong with rows: counts, names, margins, votes, licences, other tables' words."""
    names: Counter[str] = Counter()
    candidates = Candidates(dataset)
    for split, row in dataset.rows("pairs", without=HEAVY):
        names[row["pair_id"]] += 1
        if row["split"] != split:
            yield Finding(row["pair_id"], "split", row["split"], f"in a file of {split}")
        yield from pair_findings(row, dataset.said)
        yield from candidates.findings(row)
    yield from (Finding(name, "pair_id", "one row", f"{n} rows") for name, n in names.items() if n > 1)
    yield from _count_findings(dataset, names.total(), candidates.num_ok())


def pair_findings(row: Row, said: Exported) -> Iterator[Finding]:
    """Walk what is wrong with one pair by itself."""
    name = row["pair_id"]
    for score in (score for metric in said.metrics for score in metric.scores):
        sides = [row[f"{side}_{score.name}"] for side in SIDES]
        margin = _margin(sides, score.better)
        if not same(row[f"margin_{score.name}"], margin):
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
    if len(votes) == len(said.criteria) and not same(row["strength"], min(votes)):
        yield Finding(row["pair_id"], "strength", row["strength"], min(votes))


def _count_findings(dataset: Dataset, pairs: int, candidates: int | None) -> Iterator[Finding]:
    counted = {step.name: step.count for step in dataset.said.funnel.steps}
    found = {"pairs": pairs} if candidates is None else {"pairs": pairs, "candidates": candidates}
    for name, number in found.items():
        if counted[name] != number:
            yield Finding(name, "rows", counted[name], number)
    if (by_licence := sum(dataset.said.licences.values())) != pairs:
        yield Finding("pairs", "pairs by licence", by_licence, pairs)


def _margin(sides: Sequence[float | None], better: Better) -> float | None:
    chosen, rejected = sides
    if chosen is None or rejected is None:
        return None
    return chosen - rejected if better is Better.HIGHER else rejected - chosen
