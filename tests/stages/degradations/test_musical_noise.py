"""Musical noise."""

import numpy as np
import pytest

from schemas import UnfitError
from stages.audio.level import rms
from stages.audio.waveform import Waveform
from stages.degradations.musical_noise import MusicalNoise
from stages.degrade.memory_source import MemoryAudioSource
from stages.dsp.short_time import ShortTime
from stages.operators.degradation import Scene
from tests.support.residual_lag import residual_lag
from tests.support.speech_like import speech_like

SOURCES = MemoryAudioSource()


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("oversubtraction", [1.0, 6.0])
def test_delays_nothing_and_keeps_polarity(oversubtraction: float, sample_rate: int) -> None:
    """Gains are real and positive, so nothing moves."""
    speech = speech_like(2.0, sample_rate=sample_rate)

    heard = MusicalNoise(snr_db=5.0, oversubtraction=oversubtraction, seed=1).apply(speech, SOURCES)

    assert heard.samples.shape == speech.samples.shape
    assert residual_lag(heard, speech) == (pytest.approx(0.0, abs=0.5), 1)


@pytest.mark.parametrize("oversubtraction", [1.0, 2.0, 4.0])
def test_leaves_as_many_speckles_as_the_noise_has_peaks(oversubtraction: float) -> None:
    """In a pause exp(−oversubtraction) of the bins rise over what is subtracted, and the rest is gone."""
    word = speech_like(0.2).samples
    pause = Waveform(np.r_[word, np.zeros(160_000, dtype=np.float32)], 16_000)
    settings = {"snr_db": 0.0, "oversubtraction": oversubtraction, "floor_db": -80.0, "seed": 1}

    scene = MusicalNoise.model_validate(settings).damage(Scene(pause, pause), SOURCES)

    assert scene.facts["left_fraction"] == pytest.approx(np.exp(-oversubtraction), rel=0.2)


def test_speckles_are_few_and_tonal() -> None:
    """Power in a pause is in a few bins: far more peaked than the noise that it came from."""
    speech = speech_like(1.0)
    pause = Waveform(np.r_[speech.samples, np.zeros(64_000, dtype=np.float32)], 16_000)

    heard = MusicalNoise(snr_db=0.0, oversubtraction=4.0, floor_db=-80.0, seed=1).apply(pause, SOURCES)

    power = np.abs(ShortTime.of(32.0, 16_000).spectra(heard.samples[20_000:])) ** 2
    kurtosis = np.mean(power**2) / np.mean(power) ** 2
    assert kurtosis > 10.0, "2 for Gaussian noise"


def test_more_noise_leaves_less_speech() -> None:
    """What is subtracted takes the soft parts of the speech with it."""
    speech = speech_like(2.0)

    residues = [
        rms(
            MusicalNoise(snr_db=snr, oversubtraction=3.0, seed=1).apply(speech, SOURCES).samples
            - speech.samples
        )
        for snr in (-5.0, 5.0, 15.0)
    ]

    assert residues == sorted(residues, reverse=True)


def test_silence_is_unfit() -> None:
    """No SNR is defined over silence."""
    silence = Waveform(np.zeros(16_000, dtype=np.float32), 16_000)

    with pytest.raises(UnfitError, match="silent"):
        MusicalNoise(snr_db=0.0, oversubtraction=2.0, seed=1).apply(silence, SOURCES)
