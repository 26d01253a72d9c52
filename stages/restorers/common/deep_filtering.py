"""What DeepFilterNet hears and does: spectra, features, gains over bands, and filters over frames.

After Schröter et al. (ICASSP 2022, IWAENC 2022); the constants are those of its third version at 48 kHz.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Samples

FrameSpectra = NDArray[np.complex64]
"""Frames by bins."""

_SAMPLE_RATE = 48_000
_FRAME, _HOP = 960, 480
_BINS = _FRAME // 2 + 1
_BANDS, SMALLEST_BAND = 32, 2
FILTERED_BINS = 96
_TAPS, TAPS_AHEAD = 5, 2
MEMORY = 0.99
"""How much of a running mean is kept from frame to frame: a second."""
LEVELS_DB = np.linspace(-60.0, -90.0, _BANDS)
"""Where the running mean of each band begins."""
MAGNITUDES = np.linspace(1e-3, 1e-4, FILTERED_BINS)
"""Where the running mean of each bin begins."""


def frame_spectra_of(samples: Samples) -> FrameSpectra:
    """Return scaled spectra of frames that begin half a frame early, and two more at the end."""
    hops = -(-samples.size // _HOP) + TAPS_AHEAD
    padded = np.pad(samples, (_HOP, hops * _HOP - samples.size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    return np.asarray(np.fft.rfft(frames * _window()) / _FRAME, dtype=np.complex64)


def waveform_of(spectra: FrameSpectra, length: int) -> Samples:
    """Return the first ``length`` samples of what ``frame_spectra_of`` turned into ``spectra``."""
    frames = np.fft.irfft(spectra * _FRAME, _FRAME) * _window()
    mixed = np.zeros((len(frames) + 1, _HOP))
    mixed[:-1] += frames[:, :_HOP]
    mixed[1:] += frames[:, _HOP:]
    return np.asarray(mixed[1:].reshape(-1)[:length], dtype=np.float32)


def band_features(spectra: FrameSpectra) -> NDArray[np.float64]:
    """Return (frames, bands): levels in dB over their running mean, by 40."""
    powers = np.add.reduceat(np.abs(spectra) ** 2, _edges()[:-1], axis=1) / np.diff(_edges())
    levels_db = 10.0 * np.log10(powers + 1e-10)
    return (levels_db - _running_mean(levels_db, LEVELS_DB)) / 40.0


def bin_features(spectra: FrameSpectra) -> NDArray[np.complex128]:
    """Return (frames, filtered bins): low bins over the root of their running magnitude."""
    low = spectra[:, :FILTERED_BINS]
    return np.asarray(low / np.sqrt(_running_mean(np.abs(low), MAGNITUDES)))


def spread_to_bins(gains: Samples) -> Samples:
    """Return (frames, bins) of gains (frames, bands)."""
    return np.repeat(gains, np.diff(_edges()), axis=1)


def apply_deep_filter(spectra: FrameSpectra, taps: Samples, masked: FrameSpectra) -> FrameSpectra:
    """Return ``masked`` with its low bins made of five frames of ``spectra`` each.

    ``taps`` are (frames, filtered bins, taps from the earliest frame, real and imaginary part).
    """
    padded = np.pad(spectra[:, :FILTERED_BINS], ((_TAPS - 1 - TAPS_AHEAD, TAPS_AHEAD), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, _TAPS, axis=0)
    filtered = masked.copy()
    filtered[:, :FILTERED_BINS] = np.einsum("fbt,fbt->fb", around, taps[..., 0] + 1j * taps[..., 1])
    return filtered


@cache
def _edges() -> NDArray[np.int64]:
    """Return where bands begin, and where the last one ends: evenly spread in ERB (Glasberg and Moore 1990).

    Where bins are too few, a band takes its smallest number of them from the next ones.
    """
    highest = 9.265 * np.log1p(_SAMPLE_RATE / 2 / (24.7 * 9.265))
    hertz = 24.7 * 9.265 * np.expm1(np.arange(1, _BANDS + 1) * highest / _BANDS / 9.265)
    edges = [0]
    for ideal in np.round(hertz * _FRAME / _SAMPLE_RATE).astype(int):
        edges.append(max(int(ideal), edges[-1] + SMALLEST_BAND))
    edges[-1] = _BINS
    return np.array(edges)


@cache
def _window() -> NDArray[np.float64]:
    """Return Vorbis' window: its square and that of the next frame add up to one."""
    rise = np.sin(np.pi * (np.arange(_FRAME) + 0.5) / _FRAME)
    return np.asarray(np.sin(0.5 * np.pi * rise**2))


def _running_mean(values: NDArray[np.floating], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the exponential mean over frames, each frame's own value in it."""
    from scipy.signal import lfilter  # noqa: PLC0415 - 0.8 s

    means, _ = lfilter([1.0 - MEMORY], [1.0, -MEMORY], values, axis=0, zi=MEMORY * start[np.newaxis])
    return np.asarray(means)
