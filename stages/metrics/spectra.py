"""Spectrograms as metrics need them: frames of power, and mel bands."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def periodic_hann(length: int) -> NDArray[np.float64]:
    """Return the Hann window of ``length`` samples whose next sample would be its first."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def power_spectrogram(samples: Floats, window: Floats, hop: int) -> NDArray[np.float64]:
    """Return ``(frames, bins)`` of squared magnitude, in the units of a plain FFT; no padding.

    Samples after the last whole frame are left out; fewer samples than one frame give no frames.
    """
    if samples.size < window.size:
        return np.empty((0, window.size // 2 + 1))
    frames = sliding_window_view(samples, window.size)[::hop] * window
    spectrum = np.fft.rfft(frames, axis=1)
    return spectrum.real**2 + spectrum.imag**2


def levels_db(samples: Floats, frame: int, floor_db: float) -> NDArray[np.float64]:
    """Return ``(frames, bins)`` of levels in dBFS of a sine in that bin, not below ``floor_db``.

    Hann windows of ``frame`` samples, half overlapped.
    """
    window = periodic_hann(frame)
    power = power_spectrogram(samples, window, max(1, frame // 2)) * (2.0 / window.sum()) ** 2
    levels: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 10.0 ** (floor_db / 10.0)))
    return levels


def mel_filters(sample_rate: int, fft_size: int, bands: int, range_hz: tuple[float, float]) -> Floats:
    """Return ``(bands, bins)`` triangles of equal area on Slaney's mel scale (Auditory Toolbox, 1998)."""
    low, high = _mel(np.asarray(range_hz)).tolist()
    edges = _hertz(np.linspace(low, high, bands + 2))
    bins = np.fft.rfftfreq(fft_size, 1 / sample_rate)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    areas: Floats = triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return areas


_LINEAR_HERTZ = 200.0 / 3.0
_KNEE_HERTZ = 1_000.0
_KNEE_MEL = _KNEE_HERTZ / _LINEAR_HERTZ
_LOG_STEP = np.log(6.4) / 27.0


def _mel(hertz: Floats) -> Floats:
    above = _KNEE_MEL + np.log(np.maximum(hertz, _KNEE_HERTZ) / _KNEE_HERTZ) / _LOG_STEP
    return np.where(hertz < _KNEE_HERTZ, hertz / _LINEAR_HERTZ, above)


def _hertz(mel: Floats) -> Floats:
    above = _KNEE_HERTZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HERTZ, above)
