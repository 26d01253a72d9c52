"""Deciding many candidates at once gives what judging them two by two gives."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas import Pair
from stages.operators.metric import Better
from stages.prefer.comparisons import CandidateScores
from stages.prefer.criteria import ComparisonOutcome, Criterion, judge
from stages.prefer.pair_rules import PairRule
from stages.prefer.stage import Rules
from tests.support.candidate_scores import candidates_of, plain_scores
from tests.support.preferences import preferred, sides

# Few and round values: ties, differences of exactly a margin and missing scores come up all the time.
SCORE = st.sampled_from([math.nan, 0.0, 0.1, 0.25, 0.5, 1.0, 2.0]) | st.floats(-10, 10)
CANDIDATES = st.lists(st.tuples(st.sampled_from("abc"), SCORE, SCORE, SCORE), max_size=7)
CRITERIA = st.lists(
    st.builds(
        Criterion,
        metric=st.sampled_from(["quality", "distance", "third"]),
        better=st.sampled_from(Better),
        margin=st.sampled_from([0.0, 0.1, 0.25]) | st.floats(0, 3),
        scale=st.floats(0.01, 10),
    ),
    min_size=1,
    max_size=4,
)
RULES = st.builds(
    PairRule,
    between=st.sampled_from(["any", "same_model", "across_models"]),
    max_per_utterance=st.none() | st.integers(1, 5),
    max_per_model_pair=st.none() | st.integers(1, 3),
)


def cast_by(candidates: Sequence[tuple[str, float, float, float]]) -> CandidateScores:
    """Return candidates, each a model and three scores."""
    scores = {name: [c[n] for c in candidates] for n, name in enumerate(("quality", "distance", "third"), 1)}
    return plain_scores([candidate[0] for candidate in candidates], **scores)


@given(candidates=CANDIDATES, criteria=CRITERIA, rule=RULES)
def test_decides_as_the_readable_definition_does(
    candidates: list[tuple[str, float, float, float]], criteria: list[Criterion], rule: PairRule
) -> None:
    """Outcomes, pairs, margins, strengths and their order are those of judging two by two."""
    cast = cast_by(sorted(candidates, key=lambda candidate: candidate[0]))

    (found,) = preferred(Rules(criteria, rule), cast)

    counts, pairs = _judged(candidates_of(cast), criteria, rule)
    assert found.num_unanimous == counts[ComparisonOutcome.UNANIMOUS]
    assert found.num_within_margin == counts[ComparisonOutcome.WITHIN_MARGIN]
    assert found.num_disagreed == counts[ComparisonOutcome.DISAGREED]
    assert found.num_missing_vote == counts[ComparisonOutcome.MISSING_VOTE]
    assert found.num_comparisons == counts.total()
    assert list(found.pairs) == pairs


def _judged(
    candidates: Sequence[Any], criteria: Sequence[Criterion], rule: PairRule
) -> tuple[Counter[ComparisonOutcome], list[Pair]]:
    """Judge two by two, and keep the clearest, cap by cap."""
    counts: Counter[ComparisonOutcome] = Counter()
    unanimous = []
    for a, b in combinations(candidates, 2):
        if rule.between == "any" or (a.model == b.model) == (rule.between == "same_model"):
            outcome, pair = judge(a, b, criteria)
            counts[outcome] += 1
            unanimous += [pair] if pair is not None else []
    kept: list[Pair] = []
    for pair in sorted(unanimous, key=lambda pair: -pair.strength):
        same = [p for p in kept if _models(p) == _models(pair)]
        if rule.max_per_model_pair is None or len(same) < rule.max_per_model_pair:
            kept.append(pair)
    return counts, kept[: rule.max_per_utterance]


def _models(pair: Pair) -> set[str]:
    return {pair.chosen_model, pair.rejected_model}


@given(candidates=CANDIDATES, criteria=CRITERIA)
def test_no_two_pairs_contradict_one_another(
    candidates: list[tuple[str, float, float, float]], criteria: list[Criterion]
) -> None:
    """What is chosen over another is never rejected for it, and every comparison has one outcome."""
    (found,) = preferred(Rules(criteria), cast_by(candidates))

    pairs = sides(found)
    assert not {(rejected, chosen) for chosen, rejected in pairs} & set(pairs)
    outcomes = found.num_unanimous + found.num_within_margin + found.num_disagreed + found.num_missing_vote
    assert outcomes == found.num_comparisons == math.comb(len(candidates), 2)
