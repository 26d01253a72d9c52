"""Noise made rather than recorded: of a kind, or of a spectrum; the same for the same stream."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stages.audio.level import from_db, peak, rms
from stages.audio.resampling import resample
from stages.audio.waveform import Samples, Waveform
from stages.dsp.mixing import stretch_of

NoiseKind = Literal["white", "pink", "babble", "hum", "fan"]
_Signal = NDArray[np.float64]

_LEVEL_DB = -26.0
_HIGHEST_PEAK = 0.99
NOISE_LOWEST_HZ = 20.0
"""Below this a slope goes no further: it would put all of a brown noise where nobody hears it."""
NoiseGains = NDArray[np.float32]


def synthesise(
    kind: NoiseKind,
    rng: np.random.Generator,
    duration_s: float,
    sample_rate: int,
    voices: Sequence[Waveform] = (),
) -> Waveform:
    """Return noise at −26 dBFS RMS, or as near to it as a peak under 1 allows.

    ``voices`` are what babble is made of; the other kinds do not look at them.
    Raises ``ValueError`` for babble without voices.
    """
    num_samples = max(1, round(duration_s * sample_rate))
    if kind == "babble":
        samples = _mix_babble(rng, num_samples, [resample(voice, sample_rate) for voice in voices])
    else:
        samples = MAKERS[kind](rng, num_samples, sample_rate)
    gain = min(from_db(_LEVEL_DB) / rms(samples), _HIGHEST_PEAK / peak(samples))
    return Waveform((gain * samples).astype(np.float32), sample_rate)


def _draw_white(rng: np.random.Generator, num_samples: int, sample_rate: int) -> _Signal:  # noqa: ARG001
    return rng.standard_normal(num_samples)


def _draw_pink(rng: np.random.Generator, num_samples: int, sample_rate: int) -> _Signal:
    return _draw_coloured(rng, num_samples, sample_rate, slope_db_per_octave=-3.0103)


def _draw_hum(rng: np.random.Generator, num_samples: int, sample_rate: int) -> _Signal:
    """Return mains hum: 50 or 60 Hz, and harmonics that fall off but for chance, the odd ones louder."""
    mains_hz = float(rng.choice((50.0, 60.0)))
    orders = np.arange(1, min(24, int(0.45 * sample_rate / mains_hz)) + 1)
    amplitudes = rng.uniform(0.3, 1.0, orders.size) / orders * np.where(orders % 2, 1.0, 0.5)
    return _draw_tones(rng, num_samples, sample_rate, dict(zip(mains_hz * orders, amplitudes, strict=True)))


def _draw_fan(rng: np.random.Generator, num_samples: int, sample_rate: int) -> _Signal:
    """Return rushing air, with the tones that blades make as they pass, slowly swelling."""
    air = _draw_coloured(rng, num_samples, sample_rate, slope_db_per_octave=rng.uniform(-7.0, -4.0))
    blades_hz = rng.uniform(60.0, 250.0)
    blades = _draw_tones(rng, num_samples, sample_rate, {blades_hz * k: 1.0 / k for k in (1, 2, 3, 4)})
    t = np.arange(num_samples) / sample_rate
    swell = 1.0 + 0.2 * np.sin(2 * np.pi * (rng.uniform(0.1, 0.6) * t + rng.uniform()))
    return swell * (air / rms(air) + rng.uniform(0.2, 0.7) * blades / max(rms(blades), 1e-12))


def _mix_babble(rng: np.random.Generator, num_samples: int, voices: Sequence[Waveform]) -> _Signal:
    """Return all voices at once, each begun somewhere and within 3 dB of the others."""
    audible = [voice for voice in voices if rms(voice.samples) > 0.0]
    if not audible:
        raise ValueError("babble is made of voices, and none that can be heard was given")
    total = np.zeros(num_samples)
    for voice in audible:
        stretch, _ = stretch_of(voice.samples, rng.uniform(), num_samples, voice.sample_rate)
        total += stretch * (from_db(rng.uniform(-3.0, 3.0)) / rms(voice.samples))
    return total


def _draw_coloured(
    rng: np.random.Generator, num_samples: int, sample_rate: int, *, slope_db_per_octave: float
) -> _Signal:
    """Return Gaussian noise whose power density changes by the slope above 20 Hz; nothing at 0 Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(num_samples))
    hertz = np.maximum(np.fft.rfftfreq(num_samples, 1.0 / sample_rate), NOISE_LOWEST_HZ)
    spectrum *= 10.0 ** (slope_db_per_octave / 20.0 * np.log2(hertz / NOISE_LOWEST_HZ))
    if num_samples > 1:
        spectrum[0] = 0.0
    return np.fft.irfft(spectrum, num_samples)


def _draw_tones(
    rng: np.random.Generator, num_samples: int, sample_rate: int, amplitudes: Mapping[float, float]
) -> _Signal:
    t = np.arange(num_samples) / sample_rate
    total = np.zeros(num_samples)
    for hertz, amplitude in amplitudes.items():
        total += amplitude * np.sin(2 * np.pi * (hertz * t + rng.uniform()))
    return total


MAKERS: Mapping[str, Callable[[np.random.Generator, int, int], _Signal]] = {
    "white": _draw_white,
    "pink": _draw_pink,
    "hum": _draw_hum,
    "fan": _draw_fan,
}


def draw_shaped_noise(
    rng: np.random.Generator, length: int, sample_rate: int, gains_at: Callable[[NoiseGains], NoiseGains]
) -> Samples:
    """Return Gaussian noise whose amplitude density is ``gains_at`` frequencies in Hz; none at 0 Hz."""
    from scipy import fft  # noqa: PLC0415 - 0.3 s

    size = fft.next_fast_len(length, real=True)
    hertz = fft.rfftfreq(size, 1.0 / sample_rate).astype(np.float32)
    parts = rng.standard_normal((hertz.size, 2), dtype=np.float32)
    spectrum = parts.view(np.complex64)[:, 0]
    if hertz.size > 1:
        spectrum[1:] *= gains_at(hertz[1:])
        spectrum[0] = 0.0
    noise = fft.irfft(spectrum, size)[:length] * np.float32(np.sqrt(size))
    return np.ascontiguousarray(noise, dtype=np.float32)


def slope_gains(slope_db_per_octave: float) -> Callable[[NoiseGains], NoiseGains]:
    """Return gains that change by ``slope_db_per_octave`` above 20 Hz."""
    exponent = np.float32(slope_db_per_octave / (20.0 * np.log10(2.0)))
    middle = np.float32(1_000.0)
    # Ten times as fast as a power.
    return lambda hertz: np.asarray(np.exp(exponent * np.log(np.maximum(hertz, NOISE_LOWEST_HZ) / middle)))
