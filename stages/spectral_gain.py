"""Filters without phase: gains over frequency, and the magnitudes of the filters that give them.

A gain that is real and positive delays nothing and turns nothing upside down, whatever its shape. So
the magnitude of a recursive filter is taken, and its phase is left out.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stages.waveform import Waveform

RINGING_S = 0.5
"""How long a filter may ring before what wraps around is heard: longer than any filter here does."""
Hertz = NDArray[np.float64]
Gains = NDArray[np.float64]
Sections = NDArray[np.float64]
"""Second-order sections, as scipy writes them: b0, b1, b2, a0, a1, a2 per row."""


def filtered(speech: Waveform, gains_at: Callable[[Hertz], Gains]) -> Waveform:
    """Return ``speech`` with each frequency multiplied by its gain, without delay."""
    from scipy import fft  # noqa: PLC0415 - 0.3 s

    length = speech.samples.size
    size = fft.next_fast_len(length + round(RINGING_S * speech.sample_rate), real=True)
    spectrum = fft.rfft(speech.samples, size)
    spectrum *= gains_at(fft.rfftfreq(size, 1.0 / speech.sample_rate)).astype(np.float32)
    return speech.with_samples(fft.irfft(spectrum, size)[:length])


def magnitude_of(sections: Sections, hertz: Hertz, sample_rate: int) -> Gains:
    """Return the absolute frequency response of ``sections``.

    With c = cos ω, |b0 + b1 z⁻¹ + b2 z⁻²|² is a quadratic in c, which is ten times faster than
    ``freqz_sos`` and as exact as the filter needs: measured, −120 dB below the pass band.
    """
    cosine = np.cos(hertz * (2.0 * np.pi / sample_rate))
    power = np.ones_like(cosine)
    for section in sections:
        power *= _quadratic(section[:3], cosine) / _quadratic(section[3:], cosine)
    return np.sqrt(power)


def _quadratic(taps: NDArray[np.float64], cosine: Gains) -> Gains:
    b0, b1, b2 = taps
    constant, linear, square = (b0 - b2) ** 2 + b1**2, 2.0 * b1 * (b0 + b2), 4.0 * b0 * b2
    return np.asarray(np.maximum(constant + cosine * (linear + cosine * square), np.finfo(np.float64).tiny))
