"""Limited bandwidth."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from stages.audio.waveform import Waveform
from stages.degradations.bandwidth import LIMITERS, Bandwidth, Resampler
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from tests.support.speech_like import white_noise

SOURCES = MemoryAudioSource()


def hiss(sample_rate: int) -> Waveform:
    """Return a second of all frequencies."""
    return Waveform(white_noise(sample_rate, "hiss"), sample_rate)


def gain_db(before: Waveform, after: Waveform, low_hz: float, high_hz: float) -> float:
    """Return by how much the power between two frequencies changed."""
    hertz = np.fft.rfftfreq(before.samples.size, 1.0 / before.sample_rate)
    band = (hertz >= low_hz) & (hertz < high_hz)
    old, new = (np.sum(np.abs(np.fft.rfft(w.samples))[band] ** 2) for w in (before, after))
    return float(10.0 * np.log10(new / old + 1e-30))


@pytest.mark.parametrize("resampler", LIMITERS)
@pytest.mark.parametrize(("sample_rate", "limit_hz"), [(44_100, 4_000), (16_000, 8_000), (48_000, 32_000)])
def test_takes_what_is_above_and_keeps_what_is_below(
    resampler: Resampler, sample_rate: int, limit_hz: int
) -> None:
    """Energy well above half the limited rate is gone, well below it is as it was."""
    speech = hiss(sample_rate)

    limited = Bandwidth(sample_rate_hz=limit_hz, resampler=resampler).apply(speech, SOURCES)

    cutoff = limit_hz / 2
    assert gain_db(speech, limited, 50, 0.75 * cutoff) == pytest.approx(0.0, abs=0.3)
    assert gain_db(speech, limited, 1.35 * cutoff, sample_rate / 2) < -40.0


@pytest.mark.parametrize(("sample_rate", "limit_hz"), [(44_100, 4_000), (48_000, 8_000), (22_050, 16_000)])
def test_polyphase_is_scipys_own(sample_rate: int, limit_hz: int) -> None:
    """Its filter is designed once only, and is the one that ``resample_poly`` designs by itself."""
    speech = hiss(sample_rate)

    limited = Bandwidth(sample_rate_hz=limit_hz, resampler="polyphase").apply(speech, SOURCES)

    there = resample_poly(speech.samples, limit_hz, sample_rate)
    back = resample_poly(there, sample_rate, limit_hz)[: speech.samples.size]
    np.testing.assert_array_equal(limited.samples, back)


@pytest.mark.parametrize("resampler", LIMITERS)
def test_leaves_no_delay(resampler: Resampler) -> None:
    """A click stays on its sample, to a hundredth: what is below the cut does not turn its phase."""
    speech = hiss(44_100)

    limited = Bandwidth(sample_rate_hz=16_000, resampler=resampler).apply(speech, SOURCES)

    hertz = np.fft.rfftfreq(speech.samples.size, 1.0 / speech.sample_rate)
    band = (hertz > 200) & (hertz < 6_000)
    cross = np.fft.rfft(limited.samples)[band] * np.conj(np.fft.rfft(speech.samples)[band])
    slope = np.sum(np.angle(cross) * hertz[band]) / np.sum(hertz[band] ** 2)
    assert -slope / (2 * np.pi) * speech.sample_rate == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("limit_hz", [16_000, 24_000])
def test_leaves_speech_that_is_narrow_enough_and_says_so(limit_hz: int) -> None:
    """A limit at or above the rate changes nothing."""
    speech = hiss(16_000)

    scene = Bandwidth(sample_rate_hz=limit_hz).damage(Scene(speech, speech), SOURCES)

    assert scene.degraded is speech
    assert scene.facts == {"limited": 0.0, "bandwidth_hz": 8_000.0}


def test_says_what_it_limited() -> None:
    """The facts hold the bandwidth that is left."""
    speech = hiss(16_000)

    scene = Bandwidth(sample_rate_hz=4_000).damage(Scene(speech, speech), SOURCES)

    assert scene.facts == {"limited": 1.0, "bandwidth_hz": 2_000.0}


@pytest.mark.parametrize("limit_hz", [4_000, 16_000, 32_000])
def test_fourier_is_what_scipy_leaves_there_and_back(limit_hz: int) -> None:
    """But for the one bin at the cut."""
    from scipy.signal import resample  # noqa: PLC0415 - 0.8 s

    speech = hiss(44_100)
    there = resample(speech.samples, limit_hz)
    expected = resample(there, speech.samples.size)

    limited = Bandwidth(sample_rate_hz=limit_hz, resampler="fourier").apply(speech, SOURCES)

    assert np.sqrt(np.mean((limited.samples - expected) ** 2)) < 0.02 * np.sqrt(np.mean(expected**2))
