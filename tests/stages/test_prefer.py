"""What the pairs of one degraded utterance promise."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Outcome, Pair, Preference, Reason, Removal, Status
from stages.metrics.base import Better
from stages.pair_rules import PairRule
from stages.prefer import PreferStage, Rules
from stages.unanimity import Criterion, Verdict, judge
from stages.verdicts import Ballot
from stages.vetoes import Veto
from tests.ballots import Takes, ballot, candidates_of, plain_ballot

QUALITY = Criterion(metric="quality", better=Better.HIGHER, margin=0.1, scale=0.1)
DISTANCE = Criterion(metric="distance", better=Better.LOWER, margin=0.5, scale=0.5)
BOTH = (QUALITY, DISTANCE)
Models = Mapping[str, Takes]


def preference(
    quality: Models, distance: Models, *vetoes: Veto, words: Models | None = None, **rule: Any
) -> Preference:
    """Return what becomes of the candidates with these scores."""
    scores = {"quality": quality, "distance": distance} | ({} if words is None else {"words": words})
    rules = Rules(BOTH, PairRule.model_validate(rule), vetoes)
    (found,) = PreferStage(rules).process([ballot(**scores)])
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

    row = stage.without_value(ballot(quality={"a": [1.0]}), why)

    assert (row.id, row.status, row.reason) == ("u:0", Status.FAILED, Reason.ERROR)


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


def cast_by(candidates: Sequence[tuple[str, float, float, float]]) -> Ballot:
    """Return the ballot of candidates, each a model and three scores."""
    scores = {name: [c[n] for c in candidates] for n, name in enumerate(("quality", "distance", "third"), 1)}
    return plain_ballot([candidate[0] for candidate in candidates], **scores)


@given(candidates=CANDIDATES, criteria=CRITERIA, rule=RULES)
def test_decides_as_the_readable_definition_does(
    candidates: list[tuple[str, float, float, float]], criteria: list[Criterion], rule: PairRule
) -> None:
    """Verdicts, pairs, margins, strengths and their order are those of judging two by two."""
    cast = cast_by(sorted(candidates, key=lambda candidate: candidate[0]))

    (found,) = PreferStage(Rules(criteria, rule)).process([cast])

    counts, pairs = _judged(candidates_of(cast), criteria, rule)
    assert found.num_unanimous == counts[Verdict.UNANIMOUS]
    assert found.num_within_margin == counts[Verdict.WITHIN_MARGIN]
    assert found.num_disagreed == counts[Verdict.DISAGREED]
    assert found.num_missing_vote == counts[Verdict.MISSING_VOTE]
    assert found.num_comparisons == counts.total()
    assert list(found.pairs) == pairs


def _judged(
    candidates: Sequence[Any], criteria: Sequence[Criterion], rule: PairRule
) -> tuple[Counter[Verdict], list[Pair]]:
    """Judge two by two, and keep the clearest, cap by cap."""
    counts: Counter[Verdict] = Counter()
    unanimous = []
    for a, b in combinations(candidates, 2):
        if rule.between == "any" or (a.model == b.model) == (rule.between == "same_model"):
            verdict, pair = judge(a, b, criteria)
            counts[verdict] += 1
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
    """What is chosen over another is never rejected for it, and every comparison has one verdict."""
    (found,) = PreferStage(Rules(criteria)).process([cast_by(candidates)])

    pairs = sides(found)
    assert not {(rejected, chosen) for chosen, rejected in pairs} & set(pairs)
    verdicts = found.num_unanimous + found.num_within_margin + found.num_disagreed + found.num_missing_vote
    assert verdicts == found.num_comparisons == math.comb(len(candidates), 2)
