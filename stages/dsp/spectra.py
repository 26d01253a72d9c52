"""Spectrograms as metrics need them: frames of power, and mel bands."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

SAMPLES_AT_ONCE = 32_768
"""Whose spectra are held: few enough to stay in a core's cache."""
_LINEAR_HERTZ = 200.0 / 3.0
_KNEE_HERTZ = 1_000.0
_KNEE_MEL = _KNEE_HERTZ / _LINEAR_HERTZ
_LOG_STEP = np.log(6.4) / 27.0


def periodic_hann(length: int) -> NDArray[np.float64]:
    """Return the Hann window of ``length`` samples whose next sample would be its first."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def power_spectrogram(samples: Floats, window: Floats, hop: int) -> NDArray[np.float64]:
    """Return ``(frames, bins)`` of squared magnitude, in the units of a plain FFT; no padding.

    Samples after the last whole frame are left out; fewer samples than one frame give no frames.
    """
    blocks = list(power_blocks(samples, window, hop))
    return np.concatenate(blocks) if blocks else np.empty((0, window.size // 2 + 1))


def power_blocks(samples: Floats, window: Floats, hop: int) -> Iterator[NDArray[np.float64]]:
    """Yield the same a few frames at a time: all those of ten minutes would be gigabytes."""
    frames = frames_of(samples, window.size, hop)
    at_once = max(1, SAMPLES_AT_ONCE // window.size)
    for first in range(0, len(frames), at_once):
        spectrum = np.fft.rfft(frames[first : first + at_once] * window, axis=1)
        yield spectrum.real**2 + spectrum.imag**2


def band_powers(samples: Floats, window: Floats, hop: int, filters: Floats) -> NDArray[np.float64]:
    """Return ``(frames, bands)`` of power through ``filters``, ``(bands, bins)``."""
    blocks = [power @ filters.T for power in power_blocks(samples, window, hop)]
    return np.concatenate(blocks) if blocks else np.empty((0, len(filters)))


def frames_of(samples: Floats, length: int, hop: int) -> Floats:
    """Return a view ``(frames, length)`` on all whole frames; none of fewer samples than one frame."""
    if samples.size < length:
        return np.empty((0, length))
    return sliding_window_view(samples, length)[::hop]


def levels_apart_db(
    left: Floats, right: Floats, frame: int, floor_db: float
) -> Iterator[NDArray[np.float64]]:
    """Yield ``(frames, bins)`` of the difference of levels in dB, a few frames at a time.

    Levels are those of a sine in the bin, not below ``floor_db`` dBFS, in Hann windows of ``frame`` samples,
    half overlapped. Both sides have one length.
    """
    for ours, theirs in zip(*(_levels_db(side, frame, floor_db) for side in (left, right)), strict=True):
        yield ours - theirs


def _levels_db(samples: Floats, frame: int, floor_db: float) -> Iterator[NDArray[np.float64]]:
    window = periodic_hann(frame)
    to_full_scale = (2.0 / window.sum()) ** 2
    for power in power_blocks(samples, window, max(1, frame // 2)):
        yield 10.0 * np.log10(np.maximum(power * to_full_scale, 10.0 ** (floor_db / 10.0)))


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


def _mel(hertz: Floats) -> Floats:
    above = _KNEE_MEL + np.log(np.maximum(hertz, _KNEE_HERTZ) / _KNEE_HERTZ) / _LOG_STEP
    return np.where(hertz < _KNEE_HERTZ, hertz / _LINEAR_HERTZ, above)


def _hertz(mel: Floats) -> Floats:
    above = _KNEE_HERTZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HERTZ, above)
