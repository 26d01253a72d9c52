"""Short-time spectra that come back as the same samples: Hann windows that overlap by three quarters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from stages.audio.waveform import Samples

OVERLAP = 4
Spectra = NDArray[np.complex64]
"""Frames by bins."""


@dataclass(frozen=True, slots=True)
class ShortTime:
    """Frames of ``4 · hop`` samples, so placed that every sample lies in four of them."""

    hop: int

    @classmethod
    def of(cls, frame_ms: float, sample_rate: int) -> "ShortTime":
        """Return frames of about ``frame_ms``, a length for which the transform is fast."""
        return cls(max(1, fft.next_fast_len(round(frame_ms * sample_rate / 1000 / OVERLAP), real=True)))

    @property
    def frame(self) -> int:
        """Samples in a frame."""
        return OVERLAP * self.hop

    @property
    def noise_power(self) -> float:
        """The mean power of a bin of white noise whose RMS is 1."""
        return float(np.sum(np.square(self._window(), dtype=np.float64)))

    def spectra(self, samples: Samples) -> Spectra:
        """Return the spectra of ``samples``, silence before and after them."""
        num_hops = -(-samples.size // self.hop)
        lead = self.frame - self.hop
        padded = np.pad(samples, (lead, num_hops * self.hop - samples.size + lead))
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.frame)[:: self.hop]
        return np.asarray(fft.rfft(frames * self._window(), axis=1), dtype=np.complex64)

    def samples(self, spectra: Spectra, length: int) -> Samples:
        """Return the ``length`` samples whose spectra are nearest to these (Griffin and Lim 1984)."""
        frames = fft.irfft(spectra, self.frame, axis=1) * self._window()
        mixed = np.zeros((spectra.shape[0] + OVERLAP - 1, self.hop), dtype=np.float32)
        for part in range(OVERLAP):
            mixed[part : part + spectra.shape[0]] += frames[:, part * self.hop : (part + 1) * self.hop]
        lead = self.frame - self.hop
        whole = mixed.reshape(-1)[lead : lead + length]
        return np.asarray(whole / 1.5, dtype=np.float32)  # four squared Hann windows add up to 1.5

    def _window(self) -> NDArray[np.float32]:
        turn = 2.0 * np.pi * np.arange(self.frame) / self.frame
        return np.asarray(0.5 - 0.5 * np.cos(turn), dtype=np.float32)
