"""How far up a recording carries signal, whatever its sample rate promises."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

from stages.audio.audible import remove_infrasound
from stages.audio.level import Signal

_FRAME_S = 0.04
MAX_FRAMES = 1_024
"""Frames that are looked at, evenly spread: hours of audio take no longer than a minute."""
LOUD_PERCENTILE = 95.0
"""Per frequency, over frames: fricatives count although they are rare, a single click does not."""
SMOOTHING_HZ = 150.0
LOWEST_PEAK_HZ = 80.0
"""Rumble and hum below this are not what the rest is compared with."""
RANGE_DB = 75.0
"""Speech falls by 30 to 70 dB up to 20 kHz; resamplers and codecs leave less than −80 dB above their edge."""
_FLOOR_DB = 10.0


def bandwidth_hz(samples: Signal, sample_rate: int) -> float:
    """Return the highest frequency that carries signal, at most half of ``sample_rate``.

    The rule: the 95th percentile over 40 ms frames of the power spectrum, smoothed over 150 Hz, is
    within 75 dB of its maximum, and 10 dB above what rounding to 16 bits would leave there. So 8 kHz
    audio in a 48 kHz file has 4 kHz. 0 if there is no such frequency.
    """
    size = 2 ** int(np.ceil(np.log2(_FRAME_S * sample_rate)))
    heard = remove_infrasound(samples, sample_rate)
    density = _smooth(_loud_density(heard, sample_rate, size), sample_rate / size)
    frequencies = np.fft.rfftfreq(size, 1.0 / sample_rate)
    threshold = max(
        density[frequencies >= LOWEST_PEAK_HZ].max() * 10 ** (-RANGE_DB / 10), _floor(sample_rate)
    )
    carrying = np.flatnonzero(density > threshold)
    return float(frequencies[carrying[-1]]) if carrying.size else 0.0


def _loud_density(samples: Signal, sample_rate: int, size: int) -> NDArray[np.float64]:
    """Return power per hertz (full scale² / Hz), exceeded in 5 % of the frames."""
    padded = np.pad(samples, (0, max(0, size - samples.size)))
    count = min(MAX_FRAMES, 2 * (padded.size // size))
    starts = np.unique(np.linspace(0, padded.size - size, count).astype(int))
    window = np.hanning(size).astype(np.float32)  # reaches as far as is looked, in a quarter of the time
    spectra = fft.rfft(
        sliding_window_view(padded, size)[starts].astype(np.float32, copy=False) * window, axis=1
    )
    powers = np.square(spectra.real, dtype=np.float64) + np.square(spectra.imag, dtype=np.float64)
    scale = 2.0 / (sample_rate * np.square(window).sum())
    return np.asarray(_percentile(powers, LOUD_PERCENTILE) * scale)


def _percentile(rows: NDArray[np.float64], percent: float) -> NDArray[np.float64]:
    """Return, bit for bit, what ``np.percentile`` does along the first axis, in a fifth of its time."""
    columns = rows.T.copy()
    place = (columns.shape[1] - 1) * (percent / 100.0)
    below = int(place)
    columns.partition(below, axis=1)
    low = columns[:, below]
    high = columns[:, below + 1 :].min(axis=1) if below + 1 < columns.shape[1] else low
    share, step = place - below, high - low
    return np.asarray(low + step * share if share < 0.5 else high - step * (1.0 - share))  # noqa: PLR2004 - as numpy


def _smooth(density: NDArray[np.float64], bin_hz: float) -> NDArray[np.float64]:
    width = 2 * round(SMOOTHING_HZ / bin_hz / 2) + 1
    kernel = np.full(width, 1.0 / width)
    return np.convolve(np.pad(density, width // 2, mode="reflect"), kernel, mode="valid")


def _floor(sample_rate: int) -> float:
    """Return 10 dB over the density of rounding to 16 bits: a twelfth of a step², spread evenly."""
    return (2.0**-15) ** 2 / 12 / (sample_rate / 2) * 10 ** (_FLOOR_DB / 10)
