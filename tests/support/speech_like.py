"""Signals with pitch, formants, hisses and pauses: enough of speech for metrics to tell good from bad."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from stages.audio.level import rms
from stages.audio.resampling import resample
from stages.audio.waveform import Samples, Waveform
from stages.operators.rng import rng_for

RATE = 16_000
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
Floats = NDArray[np.float64]


def speech_like(
    seconds: float = 3.0, *, pitch_hz: float = 120.0, tract: float = 1.0, sample_rate: int = RATE
) -> Waveform:
    """Return babbled syllables; ``tract`` moves all formants, as a shorter vocal tract does."""
    return Waveform(_babbled(seconds, pitch_hz, tract, sample_rate).copy(), sample_rate)


@lru_cache(maxsize=64)
def _babbled(seconds: float, pitch_hz: float, tract: float, sample_rate: int) -> Samples:
    rng = rng_for(0, "syllables")
    parts: list[Floats] = []
    while sum(part.size for part in parts) < seconds * RATE:
        parts += [_hiss(rng), _vowel(rng, pitch_hz, tract)]
        if len(parts) % 10 == 0:
            parts.append(np.zeros(RATE // 4))
    samples = np.concatenate(parts)[: round(seconds * RATE)]
    voice = Waveform((0.05 * samples / rms(samples)).astype(np.float32), RATE)
    return resample(voice, sample_rate).samples


def noisy(clean: Waveform, snr_db: float) -> Waveform:
    """Return ``clean`` with noise ``snr_db`` under it that is louder at low frequencies, as a room's is."""
    noise = lfilter([1.0], [1.0, -0.9], rng_for(0, "noise").standard_normal(clean.samples.size))
    gain = rms(clean.samples) / rms(noise) * 10.0 ** (-snr_db / 20.0)
    return clean.with_samples(clean.samples + gain * noise)


def hiss(length: int, name: str = "hiss") -> Floats:
    """Return white noise of unit variance, the same for a name every time."""
    return rng_for(0, name).standard_normal(length)


def white_noise(length: int = 5_000, name: str = "noise") -> Samples:
    """Return white noise 20 dB under full scale."""
    return (0.1 * hiss(length, name)).astype(np.float32)


def _vowel(rng: np.random.Generator, pitch_hz: float, tract: float) -> Floats:
    length = int(RATE * rng.uniform(0.12, 0.22))
    glide = pitch_hz * np.linspace(1.1, 0.9, length) * rng.uniform(0.9, 1.1)
    pulses = np.diff(np.floor(np.cumsum(glide) / RATE), prepend=0.0)
    voiced = lfilter([1.0], [1.0, -0.9], pulses)
    for formant_hz in VOWELS[int(rng.integers(len(VOWELS)))]:
        voiced = _resonance(voiced, formant_hz * tract)
    return np.asarray(voiced / rms(voiced) * np.hanning(length))


def _hiss(rng: np.random.Generator) -> Floats:
    length = int(RATE * rng.uniform(0.04, 0.08))
    return np.asarray(0.15 * lfilter([1.0, -0.9], [1.0], rng.standard_normal(length)) * np.hanning(length))


def _resonance(samples: Floats, hertz: float) -> Floats:
    radius = np.exp(-np.pi * 90.0 / RATE)
    return np.asarray(
        lfilter([1.0], [1.0, -2.0 * radius * np.cos(2.0 * np.pi * hertz / RATE), radius**2], samples)
    )
