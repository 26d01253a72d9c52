"""Who may vote: Kendall's tau by its definition, and the rule that follows from it."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.calibration.ladders import LADDERS
from stages.calibration.monotonicity import (
    DECIDING,
    LEAST_TAU_OF_MEANS,
    LEAST_TAU_OF_UTTERANCES,
    Trend,
    kendall_tau,
    may_vote,
    trend_of,
)
from stages.metrics import METRICS
from stages.operators.metric import Aspect, Better, score_name


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=8))
def test_tau_is_its_definition(values: list[int]) -> None:
    """Rising pairs less falling ones, over the geometric mean of all pairs and of those that differ."""
    signs = [np.sign(later - earlier) for earlier, later in combinations(values, 2)]
    differing = sum(sign != 0 for sign in signs)
    expected = sum(signs) / np.sqrt(len(signs) * differing) if differing else 0.0

    assert kendall_tau([float(value) for value in values]) == pytest.approx(expected)


def test_a_climb_knows_which_way_is_worse() -> None:
    """Scores that should be high go down by falling, those that should be low by rising."""
    falling = [[4.0, 3.0, 2.0], [4.0, 3.5, 3.0]]

    assert trend_of(falling, Better.HIGHER) == Trend(1.0, 1.0, 2)
    assert trend_of(falling, Better.LOWER) == Trend(-1.0, -1.0, 2)


def test_one_swapped_pair_of_five_steps_is_enough() -> None:
    """The threshold is met, whatever the last bit of the arithmetic says."""
    found = trend_of([[4.0, 5.0, 3.0, 2.0, 1.0]], Better.HIGHER)

    assert found is not None
    assert found.of_means == LEAST_TAU_OF_MEANS
    assert found.is_enough


def test_the_mean_curve_may_hide_single_utterances() -> None:
    """One loud utterance carries the mean; the utterances that disagree still count one by one."""
    found = trend_of([[10.0, 5.0, 0.0], [1.0, 1.1, 1.2]], Better.HIGHER)

    assert found == Trend(1.0, 0.0, 2)
    assert not found.is_enough


def test_nothing_scored_is_no_climb() -> None:
    """Without an utterance that has all its scores there is nothing to say."""
    assert trend_of([], Better.HIGHER) is None


@pytest.mark.parametrize("aspect", list(Aspect))
def test_one_ladder_is_enough_to_lose_the_vote(aspect: Aspect) -> None:
    """Every ladder that decides must be climbed down, well enough, by means and by utterances."""
    good = Trend(LEAST_TAU_OF_MEANS, LEAST_TAU_OF_UTTERANCES, 20)
    all_good = dict.fromkeys(DECIDING[aspect], good)

    assert may_vote(aspect, all_good)
    for ladder in DECIDING[aspect]:
        for bad in (None, Trend(0.79, 1.0, 20), Trend(1.0, 0.49, 20)):
            assert not may_vote(aspect, {**all_good, ladder: bad})


def test_only_who_stood_on_the_ladders_votes_by_default() -> None:
    """Nobody votes by default who was not seen to notice that speech gets worse."""
    voters = {
        score_name(kind, suffix)
        for kind, metric in METRICS.items()
        for suffix, output in metric().outputs.items()
        if output.votes
    }

    assert voters <= STOOD


STOOD = {
    "distill_mos",
    "dnsmos_ovrl",
    "dnsmos_p808",
    "nisqa_mos",
    "pesq",
    "multi_resolution_stft",
    "estoi",
    "faster_whisper_cer",
    "faster_whisper_clean_cer",
    "ge2e_speaker_similarity",
    "spectral_envelope",
}
"""On 20 to 24 utterances of VCTK, LibriTTS and Arctic; docs/metrics.md has the table."""


def test_ladders_that_decide_exist() -> None:
    """The rule names ladders by the names that they have."""
    assert {name for names in DECIDING.values() for name in names} <= {ladder.name for ladder in LADDERS}
