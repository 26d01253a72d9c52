"""Which unanimous pairs are kept: rules, caps and vetoes."""

from typing import Any

import pytest

from schemas import Reason, Removal
from stages.prefer.vetoes import Veto
from tests.support.preferences import preference, sides


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ({"keep": "all"}, 3),
        ({"keep": "best"}, 1),
        ({"keep": "top_k", "k": 2}, 2),
        ({"keep": "top_k", "k": 9}, 3),
        ({"max_per_utterance": 2}, 2),
        ({"keep": "top_k", "k": 3, "max_per_utterance": 1}, 1),
    ],
)
def test_a_rule_keeps_the_clearest_pairs(rule: dict[str, Any], kept: int) -> None:
    """All, the best, or as many as are asked for; how many were unanimous is said all the same."""
    scores = {"a": [1.0, 1.2, 2.0]}, {"a": [9.0, 8.0, 1.0]}

    found = preference(*scores, **rule)

    assert found.pairs == preference(*scores).pairs[:kept]
    assert found.num_unanimous == 3


def test_a_cap_per_two_models_counts_whichever_side_they_are_on() -> None:
    """The clearest pair of a with a and of a with b, whether a wins it or loses it."""
    ladder = {"a": [5.0, 3.0, 1.0], "b": [4.0]}, {"a": [1.0, 3.0, 5.0], "b": [2.0]}

    found = preference(*ladder, max_per_model_pair=1)

    assert sides(found) == [("a0", "a2"), ("b0", "a2")]
    assert found.num_unanimous == 6


LADDER = {"a": [3.0, 2.0, 1.0]}, {"a": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    ("veto", "expected"),
    [
        ({"at_least": 0.5}, [("a1", "a2")]),
        ({"at_least": 0.5, "side": "rejected"}, [("a0", "a1"), ("a0", "a2"), ("a1", "a2")]),
        ({"at_most": 0.7, "side": "both"}, [("a0", "a1")]),
        ({"at_most": 0.7, "at_least": 0.3, "side": "rejected"}, [("a0", "a1")]),
    ],
)
def test_a_veto_refuses_unanimous_pairs(veto: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """By the chosen side's score, the rejected one's, or either; it casts no vote."""
    found = preference(*LADDER, Veto.model_validate({"score": "words", **veto}), words={"a": [0.2, 0.6, 0.8]})

    assert sorted(sides(found)) == expected
    assert found.num_unanimous == 3
    assert sum(removal.pairs for removal in found.removed) == 3 - len(expected)


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("chosen", [("a0", "a1"), ("a0", "a2")]),
        ("rejected", [("a0", "a2"), ("a1", "a2")]),
        ("both", [("a0", "a2")]),
    ],
)
@pytest.mark.parametrize("change_s", [0.06, -0.06])
def test_a_model_that_changed_the_length_is_refused(
    side: str, expected: list[tuple[str, str]], change_s: float
) -> None:
    """By more than is allowed: what is just as much passes, and longer is as bad as shorter."""
    veto = Veto.model_validate({"max_length_change_s": 0.05, "side": side})

    found = preference(*LADDER, veto, longer_s={"a": [0.05, change_s, -0.05]})

    assert sorted(sides(found)) == expected
    name = "either" if side == "both" else side
    assert found.removed == (Removal(by=f"{name} longer or shorter by over 0.05 s", pairs=3 - len(expected)),)


@pytest.mark.parametrize(("unmeasured", "kept"), [("refuse", 1), ("pass", 3)])
def test_what_is_not_known_to_be_sound_is_refused_unless_told_otherwise(unmeasured: str, kept: int) -> None:
    """A veto's score may be missing: no transcript, a silent candidate."""
    veto = Veto.model_validate({"score": "words", "at_least": 0.5, "unmeasured": unmeasured})

    found = preference(*LADDER, veto, words={"a": [Reason.NO_TRANSCRIPT, 0.6, 0.8]})

    assert len(found.pairs) == kept
    assert found.num_complete == 3


def test_each_removed_pair_is_counted_once() -> None:
    """Under the first veto that refuses it, so that the counts add up."""
    first, second = Veto(score="words", at_least=0.5), Veto(score="words", at_least=0.7, name="unclear")

    found = preference(*LADDER, first, second, words={"a": [0.2, 0.6, 0.8]})

    assert found.removed == (
        Removal(by="chosen words under 0.5", pairs=2),
        Removal(by="unclear", pairs=1),
    )
    assert found.pairs == ()


def test_the_best_pair_is_the_best_of_those_that_no_veto_refuses() -> None:
    """A veto comes before the rule."""
    veto = Veto(score="words", at_least=0.5)

    found = preference(*LADDER, veto, words={"a": [0.2, 0.6, 0.8]}, keep="best")

    assert sides(found) == [("a1", "a2")]
