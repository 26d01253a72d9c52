"""Coloured noise."""

import pytest

from stages.degradations.coloured_noise import SLOPES_DB_PER_OCTAVE, Colour, ColouredNoise
from tests.support.measured_response import added_by, damaged, density_db, white


@pytest.mark.parametrize("slope", [-6.0, -3.0, 0.0, 3.0, 6.0, -12.0])
def test_has_the_slope_that_was_asked_for(slope: float) -> None:
    """From one octave to the next the power density changes by so many dB."""
    noise = ColouredNoise(slope_db_per_octave=slope, seed=1, snr_db=0.0)

    added = added_by(noise, white(4.0))

    octaves_db = [density_db(added, low, 2 * low) for low in (250.0, 500.0, 1_000.0, 2_000.0, 4_000.0)]
    assert (octaves_db[-1] - octaves_db[0]) / 4 == pytest.approx(slope, abs=0.15)


@pytest.mark.parametrize("colour", SLOPES_DB_PER_OCTAVE)
def test_a_colour_is_a_slope(colour: Colour) -> None:
    """The name in the record and the number in the facts mean the same noise."""
    named = damaged(ColouredNoise(slope_db_per_octave=colour, seed=1, snr_db=0.0), white())
    slope = SLOPES_DB_PER_OCTAVE[colour]
    numbered = damaged(ColouredNoise(slope_db_per_octave=slope, seed=1, snr_db=0.0), white())

    assert named.degraded.samples.tolist() == numbered.degraded.samples.tolist()
    assert named.facts["slope_db_per_octave"] == slope


def test_seeds_are_different_noises() -> None:
    """Two seeds have nothing in common, and each stands at its SNR."""
    one, two = (
        damaged(ColouredNoise(slope_db_per_octave="pink", seed=n, snr_db=7.0), white()) for n in (1, 2)
    )

    assert one.facts["snr_db"] == pytest.approx(7.0, abs=0.01)
    assert one.degraded.samples.tolist() != two.degraded.samples.tolist()
