"""Filters without phase: gains over frequency, and the magnitudes of the filters that give them.

A gain that is real and positive delays nothing and turns nothing upside down, whatever its shape. So
the magnitude of a recursive filter is taken, and its phase is left out.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Waveform

RINGING_S = 0.5
"""How long a filter may ring before what wraps around is heard: longer than any filter here does."""
Hertz = NDArray[np.float64]
Gains = NDArray[np.float64]
Sections = NDArray[np.float64]
"""Second-order sections, as scipy writes them: b0, b1, b2, a0, a1, a2 per row."""
_ODD_TURNED = np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])


def apply_gains(speech: Waveform, gains_at: Callable[[Hertz], Gains]) -> Waveform:
    """Return ``speech`` with each frequency multiplied by its gain, without delay."""
    from scipy import fft  # noqa: PLC0415 - 0.3 s

    length = speech.samples.size
    size = fft.next_fast_len(length + round(RINGING_S * speech.sample_rate), real=True)
    spectrum = fft.rfft(speech.samples, size)
    spectrum *= gains_at(fft.rfftfreq(size, 1.0 / speech.sample_rate)).astype(np.float32)
    return speech.with_samples(fft.irfft(spectrum, size)[:length])


def magnitude_of(sections: Sections, hertz: Hertz, sample_rate: int) -> Gains:
    """Return the absolute frequency response of ``sections``.

    With u = 4 sin² ω/2, |b0 + b1 z⁻¹ + b2 z⁻²|² is a quadratic in u, which is ten times faster than
    ``freqz_sos``, and as exact for poles and zeros at 5 Hz as for others: measured, within 0.001 dB down to
    −100 dB at 384 kHz. Above a quarter of the rate the same is said of the filter whose odd taps are turned
    round, seen from half the rate.
    """
    half_turn = hertz * (np.pi / sample_rate)
    low = half_turn <= 0.25 * np.pi
    gains = np.empty_like(half_turn)
    gains[low] = _magnitude(sections, 4.0 * np.square(np.sin(half_turn[low])))
    gains[~low] = _magnitude(sections * _ODD_TURNED, 4.0 * np.square(np.cos(half_turn[~low])))
    return gains


def _magnitude(sections: Sections, u: Gains) -> Gains:
    power = np.ones_like(u)
    for section in sections:
        power *= _quadratic(section[:3], u) / _quadratic(section[3:], u)
    return np.sqrt(power)


def _quadratic(taps: NDArray[np.float64], u: Gains) -> Gains:
    b0, b1, b2 = taps
    total = b0 + b1 + b2
    constant, linear, square = total**2, (b0 - b2) ** 2 - total * (b0 + b2), b0 * b2
    return np.asarray(np.maximum(constant + u * (linear + u * square), np.finfo(np.float64).tiny))
