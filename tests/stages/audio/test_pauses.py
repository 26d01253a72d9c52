"""What splitting at pauses promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.audio.pauses import speech_stretches, split_at_pauses
from stages.operators.rng import rng_for

RATE = 8_000


def _talk(*parts: float) -> NDArray[np.float32]:
    """Return noise for each positive number of seconds, and near silence for each negative one."""
    rng = rng_for(0, "talk", str(parts))
    levels = np.concatenate([np.full(round(abs(part) * RATE), 0.1 if part > 0 else 1e-4) for part in parts])
    return (levels * rng.standard_normal(levels.size)).astype(np.float32)


def test_what_is_short_stays_whole() -> None:
    """Up to the maximum nothing is cut, not even the silence around it."""
    samples = _talk(-1, 3, -1)

    assert split_at_pauses(samples, RATE, 5.0) == [(0, samples.size)]


def test_cuts_lie_in_the_pauses() -> None:
    """Each sentence is found whole, with a little of the pause on either side."""
    samples = _talk(-2, 4, -1, 3, -1, 4, -2)

    found_s = np.array(split_at_pauses(samples, RATE, 5.0)) / RATE

    assert found_s == pytest.approx(np.array([(1.8, 6.2), (6.8, 10.2), (10.8, 15.2)]), abs=0.05)


def test_what_is_said_is_found_between_pauses() -> None:
    """From the first word to the last; a gap of less than 0.2 s is part of speech, silence holds none."""
    samples = _talk(-1, 2, -0.1, 1, -0.5, 2, -1)

    found_s = np.array(speech_stretches(samples, RATE)) / RATE

    assert found_s == pytest.approx(np.array([(1.0, 4.1), (4.6, 6.6)]), abs=0.05)
    assert speech_stretches(np.zeros(RATE, np.float32), RATE) == []


def test_without_pauses_the_quietest_moment_is_cut() -> None:
    """A dip too short for a pause is still the best place."""
    samples = _talk(7)
    dip = slice(3 * RATE, 3 * RATE + RATE // 20)
    samples[dip] *= 0.1

    (_, cut), (again, _) = split_at_pauses(samples, RATE, 5.0)

    assert cut == again
    assert dip.start <= cut <= dip.stop


def test_silence_gives_nothing() -> None:
    """There is nobody to cut between."""
    assert split_at_pauses(np.zeros(60 * RATE, np.float32), RATE, 5.0) == []


def test_pieces_are_not_crumbs() -> None:
    """Ten minutes with a pause here and there give pieces longer than a quarter of the maximum."""
    samples = _talk(*[part for number in range(100) for part in (5.0 + number % 4, -0.4)])[: 600 * RATE]

    lengths_s = [(end - start) / RATE for start, end in split_at_pauses(samples, RATE, 20.0)]

    assert max(lengths_s) <= 20.0
    assert min(lengths_s) > 5.0
    assert sum(lengths_s) == pytest.approx(600.0, rel=0.05)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.05, 4.0).map(lambda s: round(s, 2)), min_size=1, max_size=12),
    st.lists(st.floats(0.05, 3.0).map(lambda s: round(s, 2)), min_size=12, max_size=12),
    st.floats(1.0, 6.0),
)
def test_all_talk_is_covered_within_the_maximum(
    talks: list[float], gaps: list[float], longest: float
) -> None:
    """Whatever the rhythm: in order, never too long, and every spoken sample in some piece."""
    parts = [part for talk, gap in zip(talks, gaps, strict=False) for part in (talk, -gap)]
    samples = _talk(*parts)

    found = split_at_pauses(samples, RATE, longest)

    covered = np.zeros(samples.size, bool)
    for start, end in found:
        assert 0 <= start < end <= samples.size
        assert end - start <= longest * RATE
        covered[start:end] = True
    assert found == sorted(found)
    assert covered[np.abs(samples) > 0.01].all()
