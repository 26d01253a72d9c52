"""What alignment promises: the true lag, or none."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter

from stages.audio.lag import align, clear_lag_samples, lag_samples
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers import RESTORERS
from tests.support.speech_like import hiss, speech_like

RATE = 16_000
MAX_LAG = RATE // 4

Samples = NDArray[np.float64]


def _speech(seconds: float = 3.0) -> Samples:
    """Return voiced and unvoiced bursts: a gliding pitch, pauses, and hiss in between."""
    t = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    voiced = sum(np.sin(k * phase) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 1.5 * t) > -0.3)
    unvoiced = hiss(t.size) * (np.sin(2 * np.pi * 1.5 * t) < -0.6)
    return 0.1 * (voiced + unvoiced) + 1e-4 * hiss(t.size)


def _late(samples: Samples, lag: int) -> Samples:
    return np.pad(samples, (lag, 0))[: samples.size] if lag >= 0 else np.pad(samples, (0, -lag))[-lag:]


def _reverberant(samples: Samples) -> Samples:
    decay = np.exp(-6.9 * np.arange(RATE) / RATE)
    response = 0.1 * hiss(RATE, "room") * decay
    response[0] = 1.0
    return fftconvolve(samples, response)[: samples.size]


CHANGES: dict[str, Callable[[Samples], Samples]] = {
    "nothing": lambda x: x,
    "polarity": lambda x: -x,
    "gain": lambda x: 0.01 * x,
    "noise": lambda x: x + x.std() * hiss(x.size, "noise"),
    "reverberation": _reverberant,
    "reverberation and noise": lambda x: _reverberant(x) + x.std() * hiss(x.size, "noise"),
    "clipping": lambda x: np.clip(x, -0.1, 0.1),
}


@pytest.mark.parametrize("lag", [-400, -1, 0, 1, 137, 1_105])
@pytest.mark.parametrize("change", list(CHANGES))
def test_finds_the_lag_whatever_else_changed(change: str, lag: int) -> None:
    """The exact lag is found under noise, reverberation, inverted polarity and clipping."""
    speech = _speech()

    measured = lag_samples(_late(CHANGES[change](speech), lag), speech, MAX_LAG)

    assert measured == lag


@pytest.mark.parametrize("band_hz", [(300, 3_400), (100, 1_000)])
def test_filters_cost_no_more_than_their_own_delay(band_hz: tuple[int, int]) -> None:
    """A causal band-pass is taken for its group delay: well under two milliseconds."""
    speech = _speech()
    filtered = lfilter(*butter(2, band_hz, "bandpass", fs=RATE), speech)

    measured = lag_samples(_late(filtered, 137), speech, MAX_LAG)

    assert 137 <= measured <= 137 + 0.002 * RATE


@pytest.mark.parametrize("lag", [-60, 0, 411])
@pytest.mark.parametrize("start", [0, 20_000, 33_333])
def test_empty_bands_and_cut_edges_hide_nothing(start: int, lag: int) -> None:
    """Speech of 8 kHz bandwidth at 48 kHz, cut out of its middle: the edges are no lag of their own."""
    speech = resample(Waveform(_speech(4.0).astype(np.float32), RATE), 3 * RATE).samples

    cut = slice(start, start + 2 * 3 * RATE)
    measured = clear_lag_samples(_late(speech, lag)[cut], speech[cut], 3 * MAX_LAG)

    assert measured == lag


def test_empty_bands_and_cut_edges_are_no_lag() -> None:
    """What has nothing in common but where it was cut has no lag."""
    speech = speech_like(4.0, sample_rate=3 * RATE).samples[56_000:136_000]
    hiss = np.random.default_rng(0).standard_normal(73_500).astype(np.float32)
    other = resample(Waveform(hiss, 44_100), 3 * RATE).samples

    assert clear_lag_samples(other, speech, 3 * MAX_LAG) is None


@pytest.mark.parametrize("kind", ["nmfd", "spectral_gate", "wiener", "wpe"])
def test_restorers_without_delay_have_none(kind: str) -> None:
    """What NMFD, a gate, a Wiener filter and WPE make of noisy reverberant speech lags by nothing."""
    noisy = CHANGES["reverberation and noise"](_speech()).astype(np.float32)
    restored = RESTORERS[kind]().restore([Waveform(noisy, RATE)], [rng_for(0, "unused")])[0]

    measured = lag_samples(restored.samples, noisy, MAX_LAG)

    assert measured == 0


@pytest.mark.parametrize(
    "other",
    [
        hiss(3 * RATE, "another"),
        _speech()[::-1],
        np.zeros(3 * RATE),
        np.sin(2 * np.pi * 200 * np.arange(3 * RATE) / RATE),
    ],
    ids=["noise", "backwards", "silence", "sine"],
)
def test_no_peak_means_no_lag(other: Samples) -> None:
    """Between signals that have nothing in common, no lag is made up."""
    measured = lag_samples(other, _speech(), MAX_LAG)

    assert measured == 0


@pytest.mark.parametrize("lag", [20, 40, 60, 137])
def test_a_steady_tone_has_no_lag(lag: int) -> None:
    """A periodic signal fits at every period, so none of them counts."""
    tone = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)

    assert clear_lag_samples(_late(tone, lag), tone, MAX_LAG) is None


def test_a_tenth_of_a_second_can_be_aligned() -> None:
    """In a recording shorter than the widest lag, lags up to half of it are found."""
    speech = _speech()[6_400:8_000]

    measured = lag_samples(_late(speech, 137), speech, MAX_LAG)

    assert measured == 137


@pytest.mark.parametrize("lag", [-3, 0, 3])
@pytest.mark.parametrize("length", [5, 10, 20])
def test_taking_a_lag_back_restores_place_and_length(lag: int, length: int) -> None:
    """Samples return to where they were; what is not there is silence."""
    ramp = np.arange(1, 11, dtype=np.float32)

    aligned = align(_late(ramp, lag) if lag < 0 else np.pad(ramp, (lag, 0)), lag, length)

    expected = np.pad(ramp, (0, 10))[:length]
    if lag < 0:
        expected[:-lag] = 0
    assert aligned.tolist() == expected.tolist()
