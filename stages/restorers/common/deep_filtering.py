"""What DeepFilterNet hears and does: spectra, features, gains over bands, and filters over frames.

After Schröter et al. (ICASSP 2022, IWAENC 2022). Networks of the family differ in the rate and in how far
they look ahead; the number of bands and where running means begin are the same in all of them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Samples

FrameSpectra = NDArray[np.complex64]
"""Frames by bins."""

_BANDS, SMALLEST_BAND = 32, 2
_TAPS = 5
"""Frames that a filter reaches over."""
LEVELS_DB = np.linspace(-60.0, -90.0, _BANDS)
"""Where the running mean of each band begins."""
MAGNITUDES = (1e-3, 1e-4)
"""Where the running mean of the lowest and of the highest filtered bin begins."""


@dataclass(frozen=True, slots=True)
class DeepFilterFormat:
    """How one network of the family takes audio, and how far ahead it listens."""

    sample_rate: int
    hop: int
    """Samples from frame to frame; a frame is two hops long."""
    filtered_bins: int
    """The low bins, which are made by filters over frames instead of gains over bands."""
    memory: float
    """How much of a running mean is kept from frame to frame."""
    taps_ahead: int
    """How many frames a filter reaches into the future."""
    features_ahead: int
    """Frames that the network hears ahead of the one that it speaks about."""

    @property
    def frame(self) -> int:
        """Samples in a frame."""
        return 2 * self.hop

    def spectra_of(self, samples: Samples) -> FrameSpectra:
        """Return scaled spectra of frames that begin half a frame early, and those that filters reach."""
        hops = -(-samples.size // self.hop) + max(self.taps_ahead, 1)  # the last hop is in two frames
        padded = np.pad(samples, (self.hop, hops * self.hop - samples.size))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.frame)[:: self.hop]
        return np.asarray(np.fft.rfft(frames * _window(self.frame)) / self.frame, dtype=np.complex64)

    def waveform_of(self, spectra: FrameSpectra, length: int) -> Samples:
        """Return the first ``length`` samples of what ``spectra_of`` turned into ``spectra``."""
        frames = np.fft.irfft(spectra * self.frame, self.frame) * _window(self.frame)
        mixed = np.zeros((len(frames) + 1, self.hop))
        mixed[:-1] += frames[:, : self.hop]
        mixed[1:] += frames[:, self.hop :]
        return np.asarray(mixed[1:].reshape(-1)[:length], dtype=np.float32)

    def band_features(self, spectra: FrameSpectra) -> NDArray[np.float64]:
        """Return (frames, bands): levels in dB over their running mean, by 40."""
        edges = _edges(self.sample_rate, self.hop)
        powers = np.add.reduceat(np.abs(spectra) ** 2, edges[:-1], axis=1) / np.diff(edges)
        levels_db = 10.0 * np.log10(powers + 1e-10)
        return self._ahead((levels_db - self._running_mean(levels_db, LEVELS_DB)) / 40.0)

    def bin_features(self, spectra: FrameSpectra) -> NDArray[np.complex128]:
        """Return (frames, filtered bins): low bins over the root of their running magnitude."""
        low = spectra[:, : self.filtered_bins]
        start = np.linspace(*MAGNITUDES, self.filtered_bins)
        return self._ahead(np.asarray(low / np.sqrt(self._running_mean(np.abs(low), start))))

    def spread_to_bins(self, gains: Samples) -> Samples:
        """Return (frames, bins) of gains (frames, bands)."""
        return np.repeat(gains, np.diff(_edges(self.sample_rate, self.hop)), axis=1)

    def apply_deep_filter(self, spectra: FrameSpectra, taps: Samples, masked: FrameSpectra) -> FrameSpectra:
        """Return ``masked`` with its low bins made of five frames of ``spectra`` each.

        ``taps`` are (frames, filtered bins, taps from the earliest frame, real and imaginary part).
        """
        reach = (_TAPS - 1 - self.taps_ahead, self.taps_ahead)
        padded = np.pad(spectra[:, : self.filtered_bins], (reach, (0, 0)))
        around = np.lib.stride_tricks.sliding_window_view(padded, _TAPS, axis=0)
        filtered = masked.copy()
        filtered[:, : self.filtered_bins] = np.einsum("fbt,fbt->fb", around, taps[..., 0] + 1j * taps[..., 1])
        return filtered

    def _ahead(self, features: np.ndarray) -> np.ndarray:
        """Return the features of later frames in the place of each, and nothing after the last one's."""
        return np.pad(features, ((0, self.features_ahead), (0, 0)))[self.features_ahead :]

    def _running_mean(self, values: NDArray[np.floating], start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the exponential mean over frames, each frame's own value in it."""
        from scipy.signal import lfilter  # noqa: PLC0415 - 0.8 s

        rest, initial = 1.0 - self.memory, self.memory * start[np.newaxis]
        means, _ = lfilter([rest], [1.0, -self.memory], values, axis=0, zi=initial)
        return np.asarray(means)


@cache
def _edges(sample_rate: int, hop: int) -> NDArray[np.int64]:
    """Return where bands begin, and where the last one ends: evenly spread in ERB (Glasberg and Moore 1990).

    Where bins are too few, a band takes its smallest number of them from the next ones.
    """
    highest = 9.265 * np.log1p(sample_rate / 2 / (24.7 * 9.265))
    hertz = 24.7 * 9.265 * np.expm1(np.arange(1, _BANDS + 1) * highest / _BANDS / 9.265)
    edges = [0]
    for ideal in np.round(hertz * 2 * hop / sample_rate).astype(int):
        edges.append(max(int(ideal), edges[-1] + SMALLEST_BAND))
    edges[-1] = hop + 1
    return np.array(edges)


@cache
def _window(frame: int) -> NDArray[np.float64]:
    """Return Vorbis' window: its square and that of the next frame add up to one."""
    rise = np.sin(np.pi * (np.arange(frame) + 0.5) / frame)
    return np.asarray(np.sin(0.5 * np.pi * rise**2))
