"""The equalizer."""

import pytest
from pydantic import ValidationError

from stages.degradations.equalizer import Equalizer
from tests.support.measured_response import damaged, gain_db, white


def test_has_the_gain_of_each_band_at_its_centre() -> None:
    """Bands far from one another do not touch."""
    equalizer = Equalizer(gains_db=(6.0, -6.0, 3.0), low_hz=100.0, high_hz=10_000.0, q=2.0)

    assert [gain_db(equalizer, hertz) for hertz in (100.0, 1_000.0, 10_000.0)] == pytest.approx(
        [6.0, -6.0, 3.0], abs=0.1
    )


def test_draws_whole_gains_and_says_which() -> None:
    """Ten bands from 40 Hz to 16 kHz, each a whole number of dB up to six."""
    equalizer = Equalizer(num_bands=10, seed=7)

    facts = damaged(equalizer, white()).facts
    gains = [gain for name, gain in facts.items() if name.startswith("band_")]

    assert len(gains) == 10
    assert all(gain == int(gain) and abs(gain) <= 6 for gain in gains)
    assert {"band_40_hz_db", "band_16000_hz_db"} <= facts.keys()
    stated = Equalizer(gains_db=tuple(gains))
    assert (
        damaged(stated, white()).degraded.samples.tolist()
        == damaged(equalizer, white()).degraded.samples.tolist()
    )


def test_bands_beyond_the_speech_are_left_out_and_flat_is_nothing() -> None:
    """At 16 kHz, a band at 16 kHz has nothing to do."""
    beyond = damaged(Equalizer(gains_db=(6.0,), low_hz=9_000.0, high_hz=16_000.0), white(sample_rate=16_000))
    flat = damaged(Equalizer(gains_db=(0.0, 0.0)), white())

    assert beyond.facts == {"applied": 0.0}
    assert flat.facts["applied"] == 0.0


@pytest.mark.parametrize("settings", [{}, {"num_bands": 8, "gains_db": (1.0,)}])
def test_takes_one_measure(settings: dict[str, object]) -> None:
    """Random gains or stated ones."""
    with pytest.raises(ValidationError, match="set num_bands or gains_db"):
        Equalizer.model_validate(settings)


def test_several_bands_lie_between_two_edges() -> None:
    """From low to high, or they would fall on one another; one band needs no upper edge."""
    with pytest.raises(ValidationError, match="low_hz 2000 is not below high_hz 1000"):
        Equalizer(num_bands=2, low_hz=2_000.0, high_hz=1_000.0)
    with pytest.raises(ValidationError, match="low_hz 1000 is not below high_hz 1000"):
        Equalizer(gains_db=(1.0, 2.0), low_hz=1_000.0, high_hz=1_000.0)

    assert gain_db(Equalizer(gains_db=(6.0,), low_hz=2_000.0, high_hz=1_000.0), 2_000.0) == pytest.approx(
        6.0, abs=0.1
    )
