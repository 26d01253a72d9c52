"""Emptying bins of a short-time Fourier transform: a brick wall that rings no longer than its window."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Waveform

_WINDOW = 2_048
_HOP = 512


def apply_mask(speech: Waveform, kept: Callable[[NDArray[np.float64]], NDArray[np.bool_]]) -> Waveform:
    """Return ``speech`` with nothing in the bins whose frequencies in Hz are not ``kept``.

    Hann windows of 2048 samples every 512, as VoiceFixer's ``stft_hard``.
    """
    from scipy.signal import ShortTimeFFT  # noqa: PLC0415 - 0.8 s

    window = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)
    transform = ShortTimeFFT(window, _HOP, speech.sample_rate)
    length = speech.samples.size
    samples = np.pad(speech.samples, (0, max(0, _WINDOW - length)))
    spectra = transform.stft(samples)
    spectra[~kept(transform.f)] = 0.0
    return speech.with_samples(transform.istft(spectra, k1=samples.size)[:length])
