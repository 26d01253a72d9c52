"""Pumping."""

import numpy as np
import pytest

from stages.audio.waveform import Waveform
from stages.degradations.agc_pumping import AgcPumping
from tests.support.measured_response import RATE, amplitude_of, damaged, tone


@pytest.mark.parametrize("amplitude", [0.02, 0.1, 0.9])
def test_brings_every_level_to_its_target(amplitude: float) -> None:
    """A steady tone ends at the target, whether it was loud or quiet."""
    agc = AgcPumping(target_db=-10.0, most_gain_db=40.0, attack_ms=10.0, release_ms=100.0)

    out = damaged(agc, tone(500.0, amplitude, seconds=2.0)).degraded

    last = Waveform(out.samples[-RATE // 2 :], RATE)
    assert 20.0 * np.log10(amplitude_of(last, 500.0)) == pytest.approx(-10.0, abs=0.1)


def test_pauses_swell_and_the_next_word_starts_too_loud() -> None:
    """In a pause the gain climbs to its highest with the release; it is still there when the word comes."""
    word, pause = tone(500.0, 0.3).samples, tone(500.0, 0.001).samples
    speech = Waveform(np.concatenate([word, pause, word]), RATE)
    agc = AgcPumping(target_db=-10.0, most_gain_db=20.0, attack_ms=20.0, release_ms=200.0)

    scene = damaged(agc, speech)

    gains = scene.degraded.samples / np.where(np.abs(speech.samples) > 5e-4, speech.samples, np.nan)
    before_the_word, in_the_word = np.nanmean(gains[2 * RATE - 480 : 2 * RATE]), np.nanmean(gains[-480:])
    assert 20.0 * np.log10(before_the_word) == pytest.approx(20.0, abs=0.5)
    assert 20.0 * np.log10(in_the_word) == pytest.approx(0.46, abs=0.1)
    assert scene.facts["highest_gain_db"] == pytest.approx(20.0, abs=0.5)
