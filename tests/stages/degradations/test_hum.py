"""Hum."""

import numpy as np
import pytest

from stages.degradations.hum import Hum
from tests.support.measured_response import added_by, amplitude_of, damaged, white


@pytest.mark.parametrize("mains_hz", [50.0, 60.0, 59.94])
def test_lies_on_the_mains_and_its_multiples(mains_hz: float) -> None:
    """All of the power is in tones at the stated frequency, twice that, three times that."""
    speech = white(10.0)

    added = added_by(Hum(mains_hz=mains_hz, num_harmonics=4, seed=3, snr_db=0.0), speech)

    power = sum(amplitude_of(added, k * mains_hz) ** 2 / 2 for k in range(1, 6))
    assert power == pytest.approx(np.mean(added.samples.astype(np.float64) ** 2), rel=0.01)


def test_harmonics_fall_off_as_told() -> None:
    """6 dB per octave, and the even ones 12 dB lower still."""
    hum = Hum(
        mains_hz=50.0, num_harmonics=5, slope_db_per_octave=-6.0, even_harmonics_db=-12.0, seed=0, snr_db=0.0
    )

    added = added_by(hum, white(10.0))

    levels_db = [
        20 * np.log10(amplitude_of(added, 50.0 * k) / amplitude_of(added, 50.0)) for k in range(1, 5)
    ]
    assert levels_db == pytest.approx([0.0, -18.0, -9.51, -24.0], abs=0.1)


def test_has_no_tone_beyond_the_band_and_the_stated_snr() -> None:
    """At 8 kHz, 60 harmonics of 100 Hz do not fit."""
    scene = damaged(Hum(mains_hz=100.0, num_harmonics=60, seed=0, snr_db=12.0), white(sample_rate=8_000))

    assert scene.facts["tones"] == 37.0
    assert scene.facts["snr_db"] == pytest.approx(12.0, abs=0.01)
