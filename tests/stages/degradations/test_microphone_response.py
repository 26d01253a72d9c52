"""Microphones."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.signal import butter, sosfilt

from schemas import UnfitError
from stages.audio.level import ratio_db
from stages.audio.waveform import Waveform
from stages.degradations.microphone_response import MicrophoneResponse
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from tests.support.measured_response import RATE, gain_db, white


@pytest.mark.parametrize("polarity", [1.0, -1.0])
@pytest.mark.parametrize("delay", [0, 700])
def test_takes_the_colour_of_a_measured_one_and_not_its_delay_or_sign(polarity: float, delay: int) -> None:
    """A band from 300 to 3000 Hz is left of white noise, in time and the right way up."""
    click = np.zeros(RATE // 10)
    click[delay] = 0.3 * polarity
    response = sosfilt(butter(2, (300.0, 3_000.0), "bandpass", output="sos", fs=RATE), click)
    sources = MemoryAudioSource()
    ref = sources.add("microphone", "telephone", Waveform(response.astype(np.float32), RATE))
    speech = white(2.0)

    scene = MicrophoneResponse(response=ref).damage(Scene(speech, speech), sources)

    spectra = [np.fft.rfft(w.samples) for w in (scene.degraded, speech)]
    hertz = np.fft.rfftfreq(speech.samples.size, 1.0 / RATE)
    gains_db = [
        20
        * np.log10(np.sqrt(np.mean(np.abs(spectra[0][near]) ** 2) / np.mean(np.abs(spectra[1][near]) ** 2)))
        for near in (np.abs(hertz - centre) < 0.02 * centre for centre in (300.0, 950.0, 3_000.0, 12_000.0))
    ]
    assert gains_db[0] - gains_db[1] == pytest.approx(-3.0, abs=0.4)
    assert gains_db[2] - gains_db[1] == pytest.approx(-3.0, abs=0.4)
    assert gains_db[3] - gains_db[1] < -20.0
    band = (hertz > 500) & (hertz < 2_500)
    assert ratio_db(spectra[1][band].real, (spectra[0] - spectra[1])[band].real) > 10.0


def test_a_drawn_one_loses_both_ends_and_keeps_the_middle() -> None:
    """12 dB per octave at the bottom, 24 dB per octave at the top, 0 dB on average over speech."""
    telephone = MicrophoneResponse(seed=1, low_hz=200.0, high_hz=4_000.0, spread_db=0.0)

    assert gain_db(telephone, 1_000.0) == pytest.approx(0.0, abs=1.0)
    assert gain_db(telephone, 50.0) - gain_db(telephone, 100.0) == pytest.approx(-11.8, abs=0.5)
    assert gain_db(telephone, 16_000.0) - gain_db(telephone, 8_000.0) == pytest.approx(-24.0, abs=0.5)


def test_drawn_ones_differ_by_their_spread() -> None:
    """Twenty microphones stray by about the standard deviation that was asked for."""
    speech = white()
    spreads = [
        MicrophoneResponse(seed=n, low_hz=20.0, high_hz=24_000.0, spread_db=4.0)
        .damage(Scene(speech, speech), MemoryAudioSource())
        .facts["speech_band_spread_db"]
        for n in range(20)
    ]

    assert np.mean(spreads) == pytest.approx(3.0, abs=1.0)
    assert len(set(spreads)) == 20


def test_a_silent_response_is_a_reason() -> None:
    """Nothing can be heard through it."""
    sources = MemoryAudioSource()
    ref = sources.add("microphone", "dead", Waveform(np.zeros(100, np.float32), RATE))

    with pytest.raises(UnfitError, match="the response is silent"):
        MicrophoneResponse(response=ref).apply(white(), sources)


def test_takes_one_source() -> None:
    """Measured or drawn."""
    with pytest.raises(ValidationError, match="set response or seed"):
        MicrophoneResponse()
