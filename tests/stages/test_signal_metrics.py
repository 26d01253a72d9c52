"""Metrics made of arithmetic alone: what they measure, in physical units."""

import numpy as np
import pytest

from stages.metrics.base import Comparison, Metric, Unmeasured
from stages.metrics.multi_resolution_stft import MultiResolutionStft
from stages.metrics.phone_error import PhoneError
from stages.metrics.si_sdr import SiSdr
from stages.metrics.spectral_envelope import SpectralEnvelope
from stages.rng import rng_for
from stages.waveform import Waveform
from tests.speech_like import noisy, speech_like


def scored(metric: Metric, candidate: Waveform, clean: Waveform) -> float:
    """Return the one value of a metric that has one."""
    metric.load("cpu")
    (result,) = metric.score([Comparison(candidate, clean)])
    assert not isinstance(result, Unmeasured)
    return result[""]


@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 40.0])
def test_si_sdr_is_the_snr_of_what_was_added(snr_db: float) -> None:
    """For noise unrelated to the speech, SI-SDR is the SNR, whatever the gain and the offset."""
    clean = speech_like()
    candidate = noisy(clean, snr_db)

    value = scored(SiSdr(), candidate.with_samples(0.5 * candidate.samples + 0.1), clean)

    assert value == pytest.approx(snr_db, abs=0.2)


def test_si_sdr_of_a_perfect_copy_is_bounded() -> None:
    """It saturates at 100 dB instead of going to infinity."""
    clean = speech_like(1.0)

    assert scored(SiSdr(), clean.scaled(0.5), clean) == 100.0


def test_si_sdr_of_nothing_in_common_is_bounded() -> None:
    """A candidate without a trace of the clean signal gets −100 dB."""
    t = np.arange(16_000) / 16_000
    sine, cosine = (Waveform(f(2 * np.pi * 440 * t).astype(np.float32), 16_000) for f in (np.sin, np.cos))

    assert scored(SiSdr(), cosine, sine) == -100.0


def test_stft_distance_of_a_gain_is_the_gain() -> None:
    """Six decibels more in every bin are a distance of six decibels."""
    hiss = Waveform(rng_for(0, "hiss").standard_normal(16_000).astype(np.float32) * 0.1, 16_000)

    assert scored(MultiResolutionStft(), hiss.scaled(10 ** (6 / 20)), hiss) == pytest.approx(6.0, abs=0.01)


def test_stft_distance_hears_the_full_band() -> None:
    """Losing what lies above 8 kHz of a 48 kHz recording is heard."""
    samples = rng_for(0, "hiss").standard_normal(48_000) * 0.05
    spectrum = np.fft.rfft(samples)
    spectrum[8_000:] = 0.0
    full = Waveform(samples.astype(np.float32), 48_000)
    narrow = full.with_samples(np.fft.irfft(spectrum))

    assert scored(MultiResolutionStft(), narrow, full) > 10.0


def test_another_voice_is_worse_than_the_same_voice_in_noise() -> None:
    """Same words: another speaker < the same speaker, degraded < the same speaker."""
    clean = speech_like()

    others = [
        scored(SpectralEnvelope(), speech_like(pitch_hz=hertz, tract=tract), clean)
        for hertz, tract in ((105.0, 0.88), (150.0, 1.12), (200.0, 1.18))
    ]
    degraded = scored(SpectralEnvelope(), noisy(clean, 12.0), clean)
    same = scored(SpectralEnvelope(), clean, clean)

    assert max(others) + 0.001 < degraded < same - 0.001


def test_envelope_distance_grows_with_the_vocal_tracts() -> None:
    """The further formants move, the lower the score."""
    clean = speech_like()

    scores = [scored(SpectralEnvelope(), speech_like(tract=tract), clean) for tract in (1.0, 1.05, 1.1, 1.2)]

    assert scores == sorted(scores, reverse=True)


def test_phones_do_not_depend_on_what_was_heard_before() -> None:
    """The same recording has the same phones first, second and after others."""
    metric = PhoneError()
    metric.load("cpu")
    voices = [speech_like(1.5, pitch_hz=hertz) for hertz in (95.0, 140.0, 220.0)]
    pairs = [Comparison(noisy(a, 5.0), b) for a in voices for b in voices]

    forwards = list(metric.score(pairs))
    backwards = list(metric.score(pairs[::-1]))[::-1]

    assert forwards == backwards
