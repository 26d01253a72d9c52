"""Candidates that are the same recording, whoever made it."""

import numpy as np

from stages.prefer.same_audio import merge_same_audio
from stages.prefer.stage import PreferStage, Rules
from tests.support.candidate_scores import plain_scores
from tests.support.preferences import QUALITY


def test_the_first_of_equal_recordings_stands_for_all() -> None:
    """In the order of the config; its scores stay, and the others are counted."""
    candidates = plain_scores(["a", "b", "b", "c"], quality=[1.0, 2.0, 1.0, 1.0])

    merged = merge_same_audio(candidates, ["x", "y", "x", "x"])

    assert (merged.models, merged.takes, merged.num_same_audio) == (("a", "b"), (0, 0), 2)
    np.testing.assert_array_equal(merged.scores["quality"], [1.0, 2.0])


def test_recordings_that_are_not_known_are_like_no_other() -> None:
    """None is no recording, and candidates without equal ones stay what they are."""
    candidates = plain_scores(["a", "b", "c"], quality=[1.0, 2.0, 3.0])

    assert merge_same_audio(candidates, [None, None, "x"]) is candidates


def test_equal_recordings_are_compared_once_and_counted() -> None:
    """The same pair does not come twice, nor is a recording compared with itself."""
    candidates = merge_same_audio(plain_scores(["a", "b", "c"], quality=[3.0, 1.0, 1.0]), ["x", "y", "y"])

    (decided,) = PreferStage(Rules((QUALITY,))).process([candidates])

    assert decided.sides == [(("a", 0), ("b", 0))]
    assert (decided.num_candidates, decided.num_same_audio, decided.num_comparisons) == (2, 1, 1)
