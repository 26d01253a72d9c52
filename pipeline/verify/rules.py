"""What a dataset's pair rule and vetoes say of its pairs, as far as the pairs themselves tell."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.dataset.description import DatasetDescription
from pipeline.dataset.published import DatasetRow
from pipeline.store.dataset_columns import PAIR_SIDES
from pipeline.verify.findings import Finding
from stages.prefer.comparisons import CandidateScores
from stages.prefer.pair_rules import PairRule

CHOSEN, REJECTED = np.array([0]), np.array([1])
"""Places of the sides of one pair among its two candidates."""


class Claim(NamedTuple):
    """A published pair, as far as it says who is preferred to whom."""

    pair_id: str
    degraded_id: str
    chosen: tuple[str, int]
    """Model and take."""
    rejected: tuple[str, int]

    @classmethod
    def of(cls, row: DatasetRow) -> "Claim":
        """Return what a row of ``pairs`` claims."""
        chosen, rejected = ((row[f"{side}_model"], row[f"{side}_take"]) for side in PAIR_SIDES)
        return cls(row["pair_id"], row["degraded_id"], chosen, rejected)

    @property
    def preference(self) -> str:
        """Who is preferred to whom, in words."""
        return describe_preference(self.chosen, self.rejected)


def describe_preference(chosen: tuple[str, int], rejected: tuple[str, int]) -> str:
    """Return two candidates, the better one first, in words."""
    return f"{chosen[0]} {chosen[1]} over {rejected[0]} {rejected[1]}"


def rule_findings(row: DatasetRow, said: DatasetDescription) -> Iterator[Finding]:
    """Walk what speaks against one pair: a side that may not win, models not to be compared, a veto."""
    name, rule = row["pair_id"], said.pair_rule
    chosen, rejected = (row[f"{side}_model"] for side in PAIR_SIDES)
    if not rule.may_win(chosen):
        yield Finding(name, "chosen_model", chosen, "one that may not be chosen")
    if not rule.comparisons((chosen, rejected))[0].size:
        yield Finding(name, "models", f"{chosen} over {rejected}", f"no comparison {rule.between!r}")
    for veto in said.vetoes:
        sides = [row[f"{side}_{veto.looks_at}"] for side in PAIR_SIDES]
        values = np.array([np.nan if value is None else value for value in sides])
        candidates = CandidateScores(name, (chosen, rejected), (0, 1), {veto.looks_at: values})
        if veto.refuses(candidates, CHOSEN, REJECTED).any():
            yield Finding(name, f"veto {veto.label!r}", "none", " and ".join(map(_value, sides)))


def cap_findings(claims: Iterable[Sequence[Claim]], rule: PairRule) -> Iterator[Finding]:
    """Walk the degraded utterances with more pairs than the rule has room for, in all or of two models."""
    for of_one in claims:
        place = of_one[0].degraded_id
        if rule.limit is not None and len(of_one) > rule.limit:
            yield Finding(place, "pairs", len(of_one), f"room for {rule.limit}")
        if rule.max_per_model_pair is None:
            continue
        models = Counter(" and ".join(sorted((claim.chosen[0], claim.rejected[0]))) for claim in of_one)
        for names, number in models.items():
            if number > rule.max_per_model_pair:
                yield Finding(place, f"pairs of {names}", number, f"room for {rule.max_per_model_pair}")


def _value(value: float | None) -> str:
    return "no value" if value is None else f"{value:.6g}"
