"""Preferences of one utterance whose two scores a test writes down."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.store.arrow import rows_of
from pipeline.tables.preference_arrow import preferences_of
from schemas import Preference
from stages.operators.metric import Better
from stages.prefer.comparisons import CandidateScores
from stages.prefer.criteria import Criterion
from stages.prefer.pair_rules import PairRule
from stages.prefer.stage import PreferStage, Rules
from stages.prefer.vetoes import Veto
from tests.support.candidate_scores import Takes, candidate_scores

QUALITY = Criterion(metric="quality", better=Better.HIGHER, margin=0.1, scale=0.1)
DISTANCE = Criterion(metric="distance", better=Better.LOWER, margin=0.5, scale=0.5)
BOTH = (QUALITY, DISTANCE)
Models = Mapping[str, Takes]


def preference(
    quality: Models,
    distance: Models,
    *vetoes: Veto,
    words: Models | None = None,
    longer_s: Mapping[str, Sequence[float]] | None = None,
    **rule: Any,
) -> Preference:
    """Return what becomes of the candidates with these scores, made longer by this much."""
    scores = {"quality": quality, "distance": distance} | ({} if words is None else {"words": words})
    rules = Rules(BOTH, PairRule.model_validate(rule), vetoes)
    (found,) = preferred(rules, candidate_scores(longer_s=longer_s, **scores))
    return found


def preferred(rules: Rules, *utterances: CandidateScores) -> list[Preference]:
    """Return what a table of preferences says of these candidates."""
    return rows_of(Preference, preferences_of(PreferStage(rules).process(utterances), rules.votes))


def sides(found: Preference) -> list[tuple[str, str]]:
    """Return chosen and rejected of each pair, as model and take."""
    return [(f"{p.chosen_model}{p.chosen_take}", f"{p.rejected_model}{p.rejected_take}") for p in found.pairs]
