"""Long audio in chunks: nothing lost, nothing doubled, no seam to be heard."""

from itertools import pairwise

import numpy as np
import pytest

from stages.audio.level import rms
from stages.operators.rng import rng_for
from stages.restore.chunking import chunk_places, join_chunks

LENGTHS = (1, 999, 1_000, 1_001, 1_700, 1_701, 2_500, 9_999, 123_457)


def hiss(length: int, name: str = "hiss") -> np.ndarray:
    """Return white noise."""
    return rng_for(0, name).standard_normal(length).astype(np.float32)


@pytest.mark.parametrize("length", LENGTHS)
def test_chunks_cover_all_and_share_what_they_should(length: int) -> None:
    """From the first to the last sample, in equal chunks of at most 1,000, neighbours sharing 300."""
    places = chunk_places(length, 1_000, 300)

    assert (places[0].start, places[-1].stop) == (0, length)
    assert len({place.stop - place.start for place in places}) == 1
    assert places[0].stop <= 1_000
    assert all(here.stop - there.start >= 300 for here, there in pairwise(places))
    assert all(here.stop <= there.start for here, there in zip(places, places[2:], strict=False))


def test_what_fits_is_one_chunk() -> None:
    """Nothing is cut that need not be."""
    assert chunk_places(1_000, 1_000, 300) == [slice(0, 1_000)]
    assert len(chunk_places(1_001, 1_000, 300)) == 2


@pytest.mark.parametrize("overlap", [0, -1, 334])
def test_overlaps_that_leave_no_room_are_refused(overlap: int) -> None:
    """At most two chunks may meet in one place."""
    with pytest.raises(ValueError, match="at most a third"):
        chunk_places(5_000, 1_000, overlap)


@pytest.mark.parametrize("length", LENGTHS)
def test_chunks_of_one_signal_are_that_signal(length: int) -> None:
    """Cut and joined, every bit is as it was."""
    whole = hiss(length)
    places = chunk_places(length, 1_000, 300)

    np.testing.assert_array_equal(join_chunks([whole[place] for place in places], places), whole)


def test_what_lies_at_the_edges_is_context() -> None:
    """The outer quarters of an overlap are heard from one side only: models know little there."""
    whole = hiss(2_000)
    places = chunk_places(2_000, 1_200, 400)
    chunks = [whole[place].copy() for place in places]
    chunks[0][-100:] = chunks[1][:100] = 99.0

    np.testing.assert_array_equal(join_chunks(chunks, places), whole)


@pytest.mark.parametrize("gain", [1.0, -1.0, 0.0])
def test_a_seam_has_no_dip_and_no_bump(gain: float) -> None:
    """Chunks that agree, disagree in everything, or stand upside down: the power stays within 1 dB."""
    places = chunk_places(150_000, 100_000, 30_000)
    left, other = hiss(places[0].stop), hiss(places[0].stop, "other")
    shared = places[0].stop - places[1].start
    right = np.concatenate([gain * left[-shared:], other[shared:]]) if gain else other

    faded = join_chunks([left, right], places)[places[1].start : places[0].stop]

    if gain >= 0.0:  # opposite chunks cross zero whatever the weights are
        powers = [rms(part) for part in np.array_split(faded, 10)]
        assert 0.89 < min(powers) <= max(powers) < 1.12
    assert np.isfinite(faded).all()
    assert np.abs(faded).max() <= 1.5 * np.abs(np.concatenate([left, right])).max()


def test_silent_chunks_are_faded_into() -> None:
    """Silence next to sound divides nothing by zero."""
    places = chunk_places(1_500, 1_000, 300)
    chunks = [np.zeros(places[0].stop, np.float32), hiss(places[0].stop)]

    whole = join_chunks(chunks, places)

    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(whole[places[0].stop :], chunks[1][places[0].stop - places[1].start :])
