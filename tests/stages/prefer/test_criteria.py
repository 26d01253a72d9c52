"""What a unanimous vote promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.operators.metric import Better
from stages.prefer.criteria import Candidate, ComparisonOutcome, Criterion, judge

QUALITY = Criterion(metric="quality", better=Better.HIGHER, margin=0.1, scale=0.1)
DISTANCE = Criterion(metric="distance", better=Better.LOWER, margin=0.5, scale=0.5)
BOTH = (QUALITY, DISTANCE)


def candidate(name: str, **scores: float) -> Candidate:
    """Return the first take of a model."""
    return Candidate(name, 0, scores)


def test_chooses_the_side_that_every_criterion_favours() -> None:
    """Whether higher or lower is better, and says by how much."""
    good, bad = candidate("a", quality=4.0, distance=1.0), candidate("b", quality=3.0, distance=3.0)

    outcome, pair = judge(good, bad, BOTH)

    assert outcome is ComparisonOutcome.UNANIMOUS
    assert pair is not None
    assert (pair.chosen_model, pair.rejected_model) == ("a", "b")
    assert [margin.advantage for margin in pair.margins] == [1.0, 2.0]
    assert [(margin.chosen, margin.rejected) for margin in pair.margins] == [(4.0, 3.0), (1.0, 3.0)]


def test_one_objection_is_enough() -> None:
    """Where criteria disagree there is no pair, however clear the others are."""
    a, b = candidate("a", quality=5.0, distance=3.0), candidate("b", quality=1.0, distance=1.0)

    assert judge(a, b, BOTH) == (ComparisonOutcome.DISAGREED, None)


def test_a_tie_is_no_vote() -> None:
    """Equal scores favour nobody."""
    a, b = candidate("a", quality=3.0, distance=1.0), candidate("b", quality=3.0, distance=1.0)

    assert judge(a, b, BOTH) == (ComparisonOutcome.WITHIN_MARGIN, None)


@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_a_tie_in_one_vote_spoils_the_pair(margin: float) -> None:
    """Even where no margin is asked for."""
    quality = QUALITY.model_copy(update={"margin": margin})
    a, b = candidate("a", quality=3.0, distance=1.0), candidate("b", quality=3.0, distance=3.0)

    assert judge(a, b, (quality, DISTANCE)) == (ComparisonOutcome.WITHIN_MARGIN, None)


@pytest.mark.parametrize(
    ("advantage", "outcome"),
    [
        (0.49, ComparisonOutcome.WITHIN_MARGIN),
        (0.5, ComparisonOutcome.WITHIN_MARGIN),
        (0.51, ComparisonOutcome.UNANIMOUS),
        (-0.1, ComparisonOutcome.DISAGREED),
    ],
)
def test_a_vote_must_be_won_by_more_than_its_margin(advantage: float, outcome: ComparisonOutcome) -> None:
    """Exactly the margin is not enough."""
    a, b = candidate("a", quality=4.0, distance=1.0), candidate("b", quality=3.0, distance=1.0 + advantage)

    assert judge(a, b, BOTH)[0] is outcome


@pytest.mark.parametrize("missing", ["quality", "distance"])
def test_without_every_vote_there_is_no_pair(missing: str) -> None:
    """A score that is missing on one side is no vote for the other."""
    scores = {"quality": 4.0, "distance": 1.0}
    whole = candidate("a", **scores)
    lacking = Candidate("b", 0, {name: value - 3 for name, value in scores.items() if name != missing})

    assert judge(whole, lacking, BOTH) == (ComparisonOutcome.MISSING_VOTE, None)
    assert judge(lacking, whole, BOTH) == (ComparisonOutcome.MISSING_VOTE, None)


def test_scores_that_do_not_vote_do_not_matter() -> None:
    """Diagnostics are recorded, not heard."""
    a, b = candidate("a", quality=4.0, extra=-9.0), candidate("b", quality=3.0)

    assert judge(a, b, (QUALITY,))[0] is ComparisonOutcome.UNANIMOUS


def test_a_pair_is_as_strong_as_its_narrowest_vote() -> None:
    """In units of what each score moves by when nothing audible changes."""
    a, b = candidate("a", quality=4.0, distance=1.0), candidate("b", quality=3.0, distance=2.0)

    pair = judge(a, b, BOTH)[1]

    assert pair is not None
    assert pair.strength == pytest.approx(2.0)


SCORES = st.fixed_dictionaries(
    {}, optional={name: st.floats(-10, 10) for name in ("quality", "distance", "third")}
)
CRITERIA = st.lists(
    st.builds(
        Criterion,
        metric=st.sampled_from(["quality", "distance", "third"]),
        better=st.sampled_from(Better),
        margin=st.floats(0, 3),
    ),
    min_size=1,
    max_size=4,
)


@given(SCORES, SCORES, CRITERIA)
def test_the_order_of_the_sides_does_not_matter(
    first: dict[str, float], second: dict[str, float], criteria: list[Criterion]
) -> None:
    """The same outcome and the same pair, whoever is named first."""
    a, b = Candidate("a", 0, first), Candidate("b", 1, second)

    assert judge(a, b, criteria) == judge(b, a, criteria)


@given(SCORES, SCORES, CRITERIA)
def test_no_candidate_is_both_chosen_and_rejected(
    first: dict[str, float], second: dict[str, float], criteria: list[Criterion]
) -> None:
    """A pair has two sides, and every vote of it is won by more than its margin."""
    pair = judge(Candidate("a", 0, first), Candidate("b", 1, second), criteria)[1]

    if pair is not None:
        assert {pair.chosen_model, pair.rejected_model} == {"a", "b"}
        assert all(m.advantage > c.margin for m, c in zip(pair.margins, criteria, strict=True))


@given(SCORES, CRITERIA)
def test_nothing_beats_its_equal(scores: dict[str, float], criteria: list[Criterion]) -> None:
    """Two candidates with the same scores are never a pair."""
    assert judge(Candidate("a", 0, scores), Candidate("b", 0, scores), criteria)[1] is None


@given(SCORES, SCORES, CRITERIA, st.floats(0, 3))
def test_a_wider_margin_adds_no_pair(
    first: dict[str, float], second: dict[str, float], criteria: list[Criterion], more: float
) -> None:
    """Asking for more can only leave fewer."""
    a, b = Candidate("a", 0, first), Candidate("b", 0, second)
    stricter = [c.model_copy(update={"margin": c.margin + more}) for c in criteria]

    assert judge(a, b, stricter)[1] is None or judge(a, b, criteria)[1] is not None
