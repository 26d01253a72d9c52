"""Shelves."""

import pytest

from stages.degradations.high_shelf import HighShelf
from stages.degradations.low_shelf import LowShelf
from tests.support.measured_response import damaged, gain_db, white


@pytest.mark.parametrize(("corner_hz", "shelf_db"), [(6_000.0, -15.0), (6_000.0, 15.0), (10_000.0, -20.0)])
def test_high_shelf_has_its_gain_above(corner_hz: float, shelf_db: float) -> None:
    """SonicMaster's bright, dark and airy: all of it at the top, half at the corner, none below."""
    shelf = HighShelf(corner_hz=corner_hz, gain_db=shelf_db)

    assert gain_db(shelf, 23_900.0) == pytest.approx(shelf_db, abs=0.1)
    assert gain_db(shelf, corner_hz) == pytest.approx(shelf_db / 2, abs=0.05)
    assert gain_db(shelf, 100.0) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("corner_hz", "shelf_db"), [(120.0, -20.0), (400.0, -6.0), (400.0, 12.0)])
def test_low_shelf_has_its_gain_below(corner_hz: float, shelf_db: float) -> None:
    """SonicMaster's boom and warm: all of it at the bottom, half at the corner, none above."""
    shelf = LowShelf(corner_hz=corner_hz, gain_db=shelf_db)

    assert gain_db(shelf, 10.0) == pytest.approx(shelf_db, abs=0.1)
    assert gain_db(shelf, corner_hz) == pytest.approx(shelf_db / 2, abs=0.05)
    assert gain_db(shelf, 8_000.0) == pytest.approx(0.0, abs=0.02)


def test_a_shelf_that_lies_beyond_the_band_says_so() -> None:
    """A shelf at 10 kHz is nothing to speech at 16 kHz; nor is one of 0 dB."""
    speech = white(sample_rate=16_000)

    for shelf in (HighShelf(corner_hz=10_000.0, gain_db=-6.0), LowShelf(corner_hz=100.0, gain_db=0.0)):
        scene = damaged(shelf, speech)
        assert scene.facts["applied"] == 0.0
        assert scene.degraded is speech
