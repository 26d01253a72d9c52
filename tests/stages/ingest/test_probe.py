"""What the probe measures."""

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas import UnfitError
from stages.audio.bandwidth import bandwidth_hz
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.ingest.probe import clipped_fraction, probe
from stages.operators.rng import rng_for


def _speech(sample_rate: int, seconds: float = 2.0, level: float = 0.1) -> Waveform:
    """Return noise that falls by 6 dB per octave, as the long-term spectrum of speech does, in syllables."""
    size = int(seconds * sample_rate)
    spectrum = np.fft.rfft(rng_for(0, "speech").standard_normal(size))
    falling = np.fft.irfft(spectrum / np.maximum(np.fft.rfftfreq(size, 1 / sample_rate), 200.0), size)
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(size) / sample_rate)
    samples = falling * syllables
    return Waveform((level * samples / samples.std()).astype(np.float32), sample_rate)


def _rounded(waveform: Waveform, bits: int = 16) -> Waveform:
    steps = 2 ** (bits - 1)
    return waveform.with_samples(np.round(waveform.samples * steps) / steps)


@pytest.mark.parametrize("file_rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 32_000])
def test_upsampled_audio_has_the_bandwidth_that_it_came_with(rate: int, file_rate: int) -> None:
    """A file of 48 kHz made from 8 kHz carries 4 kHz, less the slope of the resampler's filter."""
    upsampled = _rounded(resample(_speech(rate), file_rate))

    found_hz = bandwidth_hz(upsampled.samples, file_rate)

    assert 0.94 * rate / 2 <= found_hz <= 1.03 * rate / 2


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000, 96_000])
def test_full_band_audio_has_half_its_rate(rate: int) -> None:
    """White noise, and speech that falls steadily, reach the top."""
    white = 0.1 * rng_for(0, "white").standard_normal(rate)

    assert bandwidth_hz(white, rate) == rate / 2
    assert bandwidth_hz(_speech(rate).samples, rate) == rate / 2


def test_rounding_noise_is_no_signal() -> None:
    """A quiet file keeps its bandwidth when it is stored with 16 bits."""
    quiet = _rounded(resample(_speech(16_000, level=0.002), 48_000))

    assert bandwidth_hz(quiet.samples, 48_000) == pytest.approx(8_000, rel=0.1)


def test_a_click_is_no_signal() -> None:
    """One bad sample reaches all frequencies, and does not count."""
    samples = resample(_speech(16_000), 48_000).samples.copy()
    samples[samples.size // 2] = 1.0

    assert bandwidth_hz(samples, 48_000) == pytest.approx(8_000, rel=0.05)


def test_an_offset_hides_nothing() -> None:
    """A constant beside speech does not make the speech look faint."""
    speech = _speech(16_000, level=0.01)

    assert bandwidth_hz(speech.samples + 0.5, 16_000) == bandwidth_hz(speech.samples, 16_000)


def test_a_moment_of_audio_is_enough() -> None:
    """Less than one frame still has a bandwidth."""
    assert bandwidth_hz(_speech(16_000, seconds=0.02).samples, 16_000) > 4_000


@pytest.mark.parametrize(
    ("samples", "fraction"),
    [
        ([0.0, 1.0, 1.0, 1.0, 0.0, -1.0, -1.0, -1.0, -1.0, 0.0], 0.7),
        ([0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, -1.0, 1.0, 0.0], 0.0),
        ([0.0, 0.5, 0.5, 0.5, 0.5, -0.5, -0.5, -0.5, 0.0, 0.0], 0.0),
        ([0.95, 0.95, 0.95, 0.0, 0.1, 0.1, 0.1, 0.1, -1.0, 0.0], 0.3),
    ],
)
def test_clipping_is_three_or_more_samples_at_the_top(samples: list[float], fraction: float) -> None:
    """Shorter runs, low plateaus and other equal samples do not count; each side has its own top."""
    assert clipped_fraction(np.array(samples, np.float32)) == pytest.approx(fraction)


def test_a_clipped_sine_is_seen() -> None:
    """A sine of twice full scale is clipped two thirds of the time."""
    sine: NDArray[np.float64] = 2.0 * np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000)

    assert clipped_fraction(np.clip(sine, -1, 1).astype(np.float32)) == pytest.approx(2 / 3, abs=0.02)


def test_the_probe_describes_the_recording(clean: Waveform) -> None:
    """Rate, length, peak and channels are those of the file."""
    found = probe(clean, channels=2)

    assert (found.sample_rate, found.duration_s, found.channels) == (16_000, 1.0, 2)
    assert found.peak == np.abs(clean.samples).max()
    assert found.clipped_fraction == 0.0
    assert -30 < found.active_level_db < -5


def test_silence_has_no_probe() -> None:
    """A level of nothing would be an invented number."""
    with pytest.raises(UnfitError, match="silent"):
        probe(Waveform(np.zeros(16_000, np.float32), 16_000), channels=1)
