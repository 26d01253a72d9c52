"""What the pairs of one degraded utterance promise."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import (
    Outcome,
    Preference,
    Reason,
    Recipe,
    Score,
    Scored,
    Split,
    Status,
    TakeScores,
)
from stages.metrics.base import Better
from stages.prefer import PairRule, PreferStage, Scores
from stages.unanimity import Criterion

QUALITY = Criterion(metric="quality", better=Better.HIGHER, margin=0.1, scale=0.1)
DISTANCE = Criterion(metric="distance", better=Better.LOWER, margin=0.5, scale=0.5)
RECIPE = Recipe(
    id="u:0",
    utterance_id="u",
    source_id="u",
    corpus="test",
    repeat=0,
    split=Split.TRAIN,
    sample_rate=16_000,
    num_samples=16_000,
    bandwidth_hz=8_000,
    steps=(),
    sources=(),
)
Takes = Sequence[float | Reason]


def scored(model: str, metric: str, values: Takes) -> Scored:
    """Return one metric's scores of a model's takes; a reason in place of a value says why there is none."""
    takes = [TakeScores(take=n, scores=(_score(metric, value),)) for n, value in enumerate(values)]
    return Scored(id=RECIPE.id, model=model, takes=tuple(takes))


def _score(metric: str, value: float | Reason) -> Score:
    match value:
        case Reason():
            status = Status.SKIPPED if value is Reason.DUPLICATE_TAKE else Status.UNFIT
            return Score(name=metric, status=status, reason=value)
        case _:
            return Score(name=metric, value=value)


def preference(
    quality: Mapping[str, Takes], distance: Mapping[str, Takes], rule: PairRule | None = None
) -> Preference:
    """Return what becomes of the candidates with these scores."""
    rows = [scored(model, "quality", values) for model, values in quality.items()]
    rows += [scored(model, "distance", values) for model, values in distance.items()]
    (found,) = PreferStage((QUALITY, DISTANCE), rule or PairRule()).process([Scores(RECIPE, rows)])
    return found


def sides(found: Preference) -> list[tuple[str, str]]:
    """Return chosen and rejected of each pair, as model and take."""
    return [(f"{p.chosen_model}{p.chosen_take}", f"{p.rejected_model}{p.rejected_take}") for p in found.pairs]


def test_compares_every_two_candidates() -> None:
    """And keeps the pairs on which all criteria agree."""
    found = preference({"a": [3.0, 4.0], "b": [1.0]}, {"a": [3.0, 2.0], "b": [5.0]})

    assert sorted(sides(found)) == [("a0", "b0"), ("a1", "a0"), ("a1", "b0")]
    assert (found.num_candidates, found.num_complete, found.num_comparisons) == (3, 3, 3)
    assert found.num_unanimous == 3


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("any", [("a0", "b0"), ("a1", "a0"), ("a1", "b0")]),
        ("same_model", [("a1", "a0")]),
        ("across_models", [("a0", "b0"), ("a1", "b0")]),
    ],
)
def test_compares_within_models_or_across_them(between: str, expected: list[tuple[str, str]]) -> None:
    """As the pair rule says; the paper compares outputs of one model."""
    rule = PairRule.model_validate({"between": between})

    found = preference({"a": [3.0, 4.0], "b": [1.0]}, {"a": [3.0, 2.0], "b": [5.0]}, rule)

    assert sorted(sides(found)) == expected
    assert found.num_comparisons == len(expected)


def test_says_what_became_of_every_comparison() -> None:
    """Unanimous, inside the margin, disagreed or without every vote: nothing is lost."""
    quality: Takes = [3.0, 3.01, 4.0, 2.0, Reason.SILENT]
    distance: Takes = [3.0, 3.0, 2.0, 1.0, 3.0]

    found = preference({"a": quality}, {"a": distance})

    assert found.num_comparisons == 10
    assert found.num_missing_vote == 4
    assert found.num_within_margin == 1
    assert found.num_unanimous == 2
    assert found.num_disagreed == 3
    assert (found.num_candidates, found.num_complete) == (5, 4)


def test_a_cap_keeps_the_clearest_pairs() -> None:
    """Clearest first: by the narrowest vote, in units of each score's noise floor."""
    quality = {"a": [1.0, 1.2, 2.0]}
    distance = {"a": [9.0, 8.0, 1.0]}

    found = preference(quality, distance, PairRule(max_per_utterance=2))

    assert sides(found) == [("a2", "a0"), ("a2", "a1")]
    assert found.num_unanimous == 3


def test_without_a_cap_all_pairs_are_kept() -> None:
    """As many as are unanimous."""
    takes = [float(n) for n in range(6)]

    found = preference({"a": takes}, {"a": [-take for take in takes]})

    assert len(found.pairs) == found.num_unanimous == 15


def test_pairs_of_one_strength_stay_in_the_order_of_takes() -> None:
    """A cap never depends on luck."""
    takes = [0.0, 1.0, 2.0]

    found = preference({"a": takes}, {"a": [-5 * take for take in takes]}, PairRule(max_per_utterance=3))

    assert sides(found) == [("a2", "a0"), ("a1", "a0"), ("a2", "a1")]


def test_a_take_that_is_no_candidate_of_its_own_is_not_compared() -> None:
    """The same audio a second time has no scores, and would only be compared with itself."""
    takes: Takes = [3.0, Reason.DUPLICATE_TAKE, 4.0]

    found = preference({"a": takes}, {"a": takes})

    assert found.num_candidates == 2
    assert found.num_comparisons == 1


def test_an_utterance_without_candidates_is_skipped() -> None:
    """With the reason; it is not an error."""
    takes: Takes = [Reason.DUPLICATE_TAKE]

    found = preference({"a": takes}, {"a": takes})

    assert found.status is Status.SKIPPED
    assert found.reason is Reason.NO_VALUE_UPSTREAM
    assert found.pairs == ()


def test_no_unanimous_pair_is_an_answer() -> None:
    """The row is fine, and has none."""
    found = preference({"a": [3.0, 4.0]}, {"a": [1.0, 2.0]})

    assert found.is_ok
    assert found.pairs == ()
    assert found.num_disagreed == 1


def test_a_row_without_a_value_says_why() -> None:
    """Under the name of its degraded utterance."""
    stage = PreferStage((QUALITY,), PairRule())
    why = Outcome(status=Status.FAILED, reason=Reason.ERROR)

    row = stage.without_value(Scores(RECIPE, ()), why)

    assert (row.id, row.status, row.reason) == ("u:0", Status.FAILED, Reason.ERROR)


VALUES = st.lists(st.floats(-10, 10), min_size=1, max_size=5)


@given(quality=VALUES, distance=VALUES, cap=st.none() | st.integers(1, 5))
def test_no_two_pairs_contradict_one_another(
    quality: list[float], distance: list[float], cap: int | None
) -> None:
    """What is chosen over another is never rejected for it, and every comparison has one verdict."""
    size = min(len(quality), len(distance))

    found = preference({"a": quality[:size]}, {"a": distance[:size]}, PairRule(max_per_utterance=cap))

    pairs = sides(found)
    assert not {(rejected, chosen) for chosen, rejected in pairs} & set(pairs)
    assert len(pairs) == min(found.num_unanimous, cap or found.num_unanimous)
    verdicts = found.num_unanimous + found.num_within_margin + found.num_disagreed + found.num_missing_vote
    assert verdicts == found.num_comparisons == size * (size - 1) // 2
