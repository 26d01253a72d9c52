"""Weights and choices of pairs: no cell outweighs another, and none is left out before its turn."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.coverage import PairFacts, coverage_of, select_pairs, weights_of


def pair(name: str, cell: str, strength: float = 1.0, of: str = "") -> PairFacts:
    """Return a pair of a cell, and of an input of its own unless one is said."""
    return PairFacts(name, of or f"input of {name}", strength, 0.5, (cell,))


many = st.lists(st.tuples(st.sampled_from("aaaaabbc"), st.floats(0.1, 9.0), st.integers(0, 5)), max_size=40)


def pairs_from(drawn: list[tuple[str, float, int]]) -> list[PairFacts]:
    """Return pairs of drawn cells, strengths and inputs."""
    return [
        pair(f"{number:02d}", cell, strength, f"input {of}")
        for number, (cell, strength, of) in enumerate(drawn)
    ]


@given(drawn=many)
def test_all_cells_weigh_the_same(drawn: list[tuple[str, float, int]]) -> None:
    """And the mean weight is 1, so that a step of training is as long as before."""
    pairs = pairs_from(drawn)
    weights = weights_of(pairs)

    of_cells: Counter[tuple[str, ...]] = Counter()
    for each in pairs:
        of_cells[each.cell] += weights[each.pair_id]
    assert sum(weights.values()) == pytest.approx(len(pairs))
    assert all(weight == pytest.approx(len(pairs) / len(of_cells)) for weight in of_cells.values())


@given(drawn=many)
def test_hard_pairs_weigh_more_but_never_twice_as_much(drawn: list[tuple[str, float, int]]) -> None:
    """Within a cell: the narrower the vote, and the fewer takes of the input win, the more a pair weighs."""
    pairs = [replace(each, share_of_winners=(len(each.degraded_id) % 3) / 2) for each in pairs_from(drawn)]
    weights = weights_of(pairs)

    for one in pairs:
        for other in pairs:
            if one.cell == other.cell:
                ratio = weights[one.pair_id] / weights[other.pair_id]
                assert ratio == pytest.approx((1 + one.difficulty) / (1 + other.difficulty))
                assert 0.5 - 1e-9 <= ratio <= 2.0 + 1e-9


def test_difficulty_is_a_narrow_vote_and_a_rare_winner() -> None:
    """The mean of 1 / (1 + strength) and the share of takes that beat nobody; both from 0 to 1."""
    easy, narrow, rare = (
        replace(pair("1", "a"), strength=strength, share_of_winners=share).difficulty
        for strength, share in ((1e9, 1.0), (0.0, 1.0), (1e9, 0.25))
    )

    assert easy == pytest.approx(0.0, abs=1e-6)
    assert (narrow, rare) == (pytest.approx(0.5), pytest.approx(0.375))


@given(drawn=many, number=st.integers(1, 45))
def test_cells_give_by_turns(drawn: list[tuple[str, float, int]], number: int) -> None:
    """No cell has given two more than another that had some left; the order of the pairs stays."""
    pairs = pairs_from(drawn)
    chosen = select_pairs(pairs, number)

    assert chosen == [each for each in pairs if each in chosen]
    assert len(chosen) == min(number, len(pairs))
    there, given_by = (Counter(each.cell for each in some) for some in (pairs, chosen))
    for cell in there:
        for other in there:
            assert given_by[cell] == there[cell] or given_by[other] <= given_by[cell] + 1
    assert coverage_of(chosen).cells == min(number, len(there))


def test_a_cell_gives_new_inputs_first_and_then_the_clearest() -> None:
    """Three pairs of one input say less than one of each of three."""
    pairs = [pair("clear", "a", 9.0, "x"), pair("same", "a", 8.0, "x"), pair("other", "a", 1.0, "y")]

    assert [each.pair_id for each in select_pairs(pairs, 2)] == ["clear", "other"]


def test_coverage_counts_cells_as_even_as_they_are() -> None:
    """Two of one size are two; nine to one are next to one; none is none."""
    even = coverage_of([pair("1", "a"), pair("2", "b")])
    uneven = coverage_of([pair(str(n), "b" if n == 0 else "a") for n in range(10)])

    assert (even.pairs, even.inputs, even.cells, even.effective_cells) == (2, 2, 2, pytest.approx(2.0))
    assert uneven.effective_cells == pytest.approx(1.384, abs=0.001)
    assert str(uneven) == "10 pairs of 10 inputs in 2 cells, as even as 1.4 of one size"
    assert coverage_of([]).effective_cells == 0.0
