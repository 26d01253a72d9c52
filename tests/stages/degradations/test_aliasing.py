"""Aliasing."""

import numpy as np
import pytest

from stages.audio.level import ratio_db
from stages.audio.waveform import Waveform
from stages.degradations.aliasing import Aliasing
from tests.support.measured_response import RATE, amplitude_of, damaged, tone, white


@pytest.mark.parametrize("sample_rate_hz", [8_000.0, 11_025.0, 4_567.0, 16_000.0])
@pytest.mark.parametrize("hertz", [500.0, 5_100.0, 9_700.0, 21_000.0])
def test_a_tone_comes_out_at_its_distance_from_the_nearest_multiple(
    hertz: float, sample_rate_hz: float
) -> None:
    """At full strength, and nowhere else."""
    speech = tone(hertz, 0.5, seconds=2.0)

    scene = damaged(Aliasing(sample_rate_hz=sample_rate_hz), speech)

    met_hz = scene.facts["sample_rate_hz"]
    assert met_hz == pytest.approx(sample_rate_hz, abs=0.25)
    expected_hz = abs(hertz - met_hz * round(hertz / met_hz))
    middle = Waveform(scene.degraded.samples[RATE // 2 : -RATE // 2], RATE)
    assert amplitude_of(middle, expected_hz) == pytest.approx(0.5, rel=0.03)
    assert np.sqrt(2.0 * np.mean(middle.samples.astype(np.float64) ** 2)) == pytest.approx(0.5, rel=0.03)


def test_is_what_dropping_samples_and_filling_up_gives() -> None:
    """At a third of the rate, every third sample is as it was."""
    speech = white()

    out = damaged(Aliasing(sample_rate_hz=RATE / 3), speech).degraded

    error = out.samples[3_000:45_000:3] - speech.samples[3_000:45_000:3]
    assert ratio_db(speech.samples[3_000:45_000:3], error) > 60.0


def test_leaves_what_is_slow_enough_and_says_so() -> None:
    """Speech at 16 kHz is not hurt by looking 16,000 times per second."""
    speech = white(sample_rate=16_000)

    scene = damaged(Aliasing(sample_rate_hz=16_000.0), speech)

    assert scene.facts == {"applied": 0.0}
    assert scene.degraded is speech
