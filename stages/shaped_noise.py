"""Noise made to a spectrum: Gaussian, stationary, and the same for the same stream."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stages.waveform import Samples

NOISE_LOWEST_HZ = 20.0
"""Below this a slope goes no further: it would put all of a brown noise where nobody hears it."""
NoiseGains = NDArray[np.float32]


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
