"""What is gone of the speech, in seconds."""

import numpy as np
import pytest

from stages.audio.waveform import Waveform
from stages.metrics.missing_speech import MissingSpeech
from stages.operators.metric import Comparison
from tests.support.speech_like import noisy, speech_like


def missing_s(candidate: Waveform, clean: Waveform) -> float:
    """Return the score of one comparison."""
    return MissingSpeech().measure(Comparison(candidate, clean))[""]


def steady(seconds: float = 2.0, sample_rate: int = 16_000) -> Waveform:
    """Return a tone that never pauses: all of it counts as speech."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return Waveform((0.1 * np.sin(2 * np.pi * 200 * t)).astype(np.float32), sample_rate)


@pytest.mark.parametrize("kept_s", [0.5, 1.0, 1.9])
@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_a_model_that_stops_early_misses_the_rest(kept_s: float, sample_rate: int) -> None:
    """Zeros where the clean side goes on."""
    clean = steady(sample_rate=sample_rate)
    cut = clean.samples.copy()
    cut[round(kept_s * sample_rate) :] = 0.0

    assert missing_s(clean.with_samples(cut), clean) == pytest.approx(2.0 - kept_s, abs=0.021)


def test_pauses_of_the_speaker_are_not_missed() -> None:
    """Silence on both sides is as it was."""
    clean = steady()
    paused = clean.samples.copy()
    paused[8_000:16_000] = 0.0

    assert missing_s(clean.with_samples(paused), clean.with_samples(paused)) == 0.0


@pytest.mark.parametrize("snr_db", [-5.0, 20.0])
def test_noise_hides_no_speech(snr_db: float) -> None:
    """It is a bound on what is lost, not a measure of quality."""
    clean = speech_like()

    assert missing_s(noisy(clean, snr_db), clean) == 0.0
