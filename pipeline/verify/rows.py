"""What rows say, all of it but the audio: right differences, votes that agree, rules that are kept."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pipeline.dataset.description import DatasetDescription
from pipeline.dataset.published import Dataset, DatasetRow
from pipeline.store.dataset_columns import PAIR_SIDES
from pipeline.verify.candidates import Candidates
from pipeline.verify.findings import Finding, are_same
from pipeline.verify.redecided import Redecided
from pipeline.verify.rules import Claim, cap_findings, rule_findings
from stages.operators.licences import most_restrictive_of
from stages.operators.metric import Better

_HEAVY = ("recipe", "degradation_steps")


def row_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk what is wrong with rows: names, margins, votes, rules, licences, other tables' words, counts."""
    names: Counter[str] = Counter()
    claims: defaultdict[str, list[Claim]] = defaultdict(list)
    candidates = Candidates(dataset)
    for split, row in dataset.rows("pairs", without=_HEAVY):
        names[row["pair_id"]] += 1
        claims[row["degraded_id"]].append(Claim.of(row))
        if row["split"] != split:
            yield Finding(row["pair_id"], "split", row["split"], f"in a file of {split}")
        yield from pair_findings(row, dataset.description)
        yield from candidates.findings(row)
    yield from (Finding(name, "pair_id", "one row", f"{n} rows") for name, n in names.items() if n > 1)
    yield from cap_findings(claims.values(), dataset.description.pair_rule)
    yield from _count_findings(dataset.description, "pairs", names.total())
    if (by_licence := sum(dataset.description.licences.values())) != names.total():
        yield Finding("pairs", "pairs by licence", by_licence, names.total())
    if candidates.are_there:
        yield from _findings_on_candidates(dataset.description, candidates, claims)


def _findings_on_candidates(
    said: DatasetDescription, candidates: Candidates, claims: Mapping[str, Sequence[Claim]]
) -> Iterator[Finding]:
    """Walk what is not as the candidates have it: pairs that lack or are too many, and counts."""
    decided = Redecided(said)
    num_ok = 0
    for degraded_id, rows in candidates.utterances():
        num_ok += sum(row["status"] == "ok" for row in rows)
        yield from decided.findings(degraded_id, rows, claims.get(degraded_id, ()))
    yield from decided.count_findings()
    yield from _count_findings(said, "candidates", num_ok)


def pair_findings(row: DatasetRow, said: DatasetDescription) -> Iterator[Finding]:
    """Walk what is wrong with one pair by itself."""
    name = row["pair_id"]
    for score in (score for metric in said.metrics for score in metric.scores):
        sides = [row[f"{side}_{score.name}"] for side in PAIR_SIDES]
        margin = _margin(sides, score.better)
        if not are_same(row[f"margin_{score.name}"], margin):
            yield Finding(name, f"margin_{score.name}", row[f"margin_{score.name}"], margin)
        for side, value in zip(PAIR_SIDES, sides, strict=True):
            is_listed = score.name in {missing["score"] for missing in row[f"{side}_missing_scores"]}
            if is_listed is not (value is None):
                listed = "a reason for a missing score" if is_listed else "a score"
                yield Finding(name, f"{side}_{score.name}", listed, value)
    yield from _vote_findings(row, said)
    yield from rule_findings(row, said)
    if (licence := most_restrictive_of(part["licence"] for part in row["licences"])) != row["row_licence"]:
        yield Finding(name, "row_licence", row["row_licence"], licence)


def _vote_findings(row: DatasetRow, said: DatasetDescription) -> Iterator[Finding]:
    """Walk the criteria that do not favour the chosen side, and a strength that is not the narrowest vote."""
    votes = []
    for criterion in said.criteria:
        margin = _margin([row[f"{side}_{criterion.metric}"] for side in PAIR_SIDES], criterion.better)
        if margin is None or margin <= criterion.margin:
            what = f"vote of {criterion.metric}"
            yield Finding(row["pair_id"], what, f"more than {criterion.margin:g} for the chosen side", margin)
        else:
            votes.append(margin / criterion.scale)
    if len(votes) == len(said.criteria) and not are_same(row["strength"], min(votes)):
        yield Finding(row["pair_id"], "strength", row["strength"], min(votes))


def _count_findings(said: DatasetDescription, name: str, number: int) -> Iterator[Finding]:
    if (counted := said.funnel.count(name)) != number:
        yield Finding(name, "rows", counted, number)


def _margin(sides: Sequence[float | None], better: Better) -> float | None:
    chosen, rejected = sides
    if chosen is None or rejected is None:
        return None
    return chosen - rejected if better is Better.HIGHER else rejected - chosen
