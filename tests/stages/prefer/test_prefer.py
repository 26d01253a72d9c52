"""What the pairs of one degraded utterance promise."""

import pytest

from schemas import Outcome, Reason, Removal, Status
from stages.prefer.stage import PreferStage, Rules
from tests.support.candidate_scores import Takes, candidate_scores
from tests.support.preferences import QUALITY, preference, sides


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
    found = preference({"a": [3.0, 4.0], "b": [1.0]}, {"a": [3.0, 2.0], "b": [5.0]}, between=between)

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


def test_the_clearest_pairs_come_first() -> None:
    """By the narrowest vote, in units of each score's noise floor."""
    found = preference({"a": [1.0, 1.2, 2.0]}, {"a": [9.0, 8.0, 1.0]})

    assert sides(found) == [("a2", "a0"), ("a2", "a1"), ("a1", "a0")]
    assert [pair.strength for pair in found.pairs] == pytest.approx([10.0, 8.0, 2.0])


def test_pairs_of_one_strength_stay_in_the_order_of_takes() -> None:
    """A cap never depends on luck."""
    takes = [0.0, 1.0, 2.0]

    found = preference({"a": takes}, {"a": [-5 * take for take in takes]}, max_per_utterance=3)

    assert sides(found) == [("a2", "a0"), ("a1", "a0"), ("a2", "a1")]


def test_the_clean_reference_loses_but_does_not_win() -> None:
    """A fixed winner collapses training; where every metric likes a restoration better, it is a pair."""
    quality = {"a": [3.0, 9.0], "clean": [5.0]}
    distance = {"a": [3.0, 0.0], "clean": [1.0]}

    found = preference(quality, distance)

    assert sides(found) == [("a1", "a0"), ("a1", "clean0")]
    assert found.removed == (Removal(by="clean chosen", pairs=1),)
    assert len(preference(quality, distance, clean_may_win=True).pairs) == found.num_unanimous == 3


def test_identity_wins_where_doing_nothing_is_better_unless_it_is_told_not_to() -> None:
    """It is compared like any model; ``never_chosen`` leaves it only the rejected side."""
    quality, distance = {"identity": [3.0], "a": [1.0, 5.0]}, {"identity": [3.0], "a": [5.0, 1.0]}

    free = preference(quality, distance, between="across_models")
    barred = preference(quality, distance, between="across_models", never_chosen=["identity"])

    assert sorted(sides(free)) == [("a1", "identity0"), ("identity0", "a0")]
    assert sides(barred) == [("a1", "identity0")]
    assert barred.removed == (Removal(by="identity chosen", pairs=1),)


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


def test_one_candidate_is_compared_with_nobody() -> None:
    """That too is an answer."""
    found = preference({"a": [3.0]}, {"a": [1.0]})

    assert found.is_ok
    assert (found.num_candidates, found.num_comparisons) == (1, 0)


def test_a_row_without_a_value_says_why() -> None:
    """Under the name of its degraded utterance."""
    stage = PreferStage(Rules((QUALITY,)))
    why = Outcome(status=Status.FAILED, reason=Reason.ERROR)

    row = stage.without_value(candidate_scores(quality={"a": [1.0]}), why)

    assert (row.id, row.status, row.reason) == ("u:0", Status.FAILED, Reason.ERROR)
