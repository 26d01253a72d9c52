"""SDR: fidelity to the clean waveform, but for what a short filter explains."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft, linalg

from stages.audio.waveform import Samples
from stages.metrics.common.distortion_ratio import DistortionRatio
from stages.operators.metric import METRICS

_TAPS = 512
"""Of the allowed filter, as BSS Eval has it."""
LOADING = 1e-10
"""Of the energy, on the diagonal: empty bands leave the best filter undetermined, and this decides."""
_FFT_SIZE = 32_768
_BLOCK = _FFT_SIZE - _TAPS + 1
"""Samples that are transformed at a time: long recordings take no more memory, and caches are not left."""

_Floats = NDArray[np.float64]


@METRICS.register
class Sdr(DistortionRatio):
    """Signal-to-distortion ratio of BSS Eval in dB (Vincent et al., TASLP 2006), means removed.

    What some filter of 512 taps can make of the clean signal is the signal, the rest of the candidate is
    distortion: a gain, a delay of up to 511 samples and mild equalisation cost nothing.
    """

    kind: ClassVar[str] = "sdr"
    version: ClassVar[int] = 2
    cost_s_per_s: ClassVar[float] = 0.003

    def energies(self, clean: Samples, candidate: Samples) -> tuple[float, float]:
        """Return the energy of the clean signal through the best filter, and of what that leaves over."""
        response = fft.rfft(_best_filter(clean, candidate), _FFT_SIZE)
        explained = rest = 0.0
        for first in range(0, clean.size + _TAPS - 1, _BLOCK):
            heard = fft.rfft(_stretch(clean, first - _TAPS + 1, _FFT_SIZE))
            target = fft.irfft(heard * response, _FFT_SIZE)[_TAPS - 1 :]
            distortion = _stretch(candidate, first, _BLOCK) - target
            explained += float(np.dot(target, target))
            rest += float(np.dot(distortion, distortion))
        return explained, rest


def _best_filter(clean: Samples, candidate: Samples) -> _Floats:
    """Return the taps that bring ``clean`` nearest to ``candidate`` in the sense of least squares."""
    own = np.zeros(_FFT_SIZE // 2 + 1, np.complex128)
    common = np.zeros_like(own)
    for first in range(0, clean.size, _BLOCK):
        stretch = fft.rfft(_stretch(clean, first, _BLOCK), _FFT_SIZE).conj()
        own += stretch * fft.rfft(_stretch(clean, first, _FFT_SIZE))
        common += stretch * fft.rfft(_stretch(candidate, first, _FFT_SIZE))
    autocorrelation, correlation = (fft.irfft(each, _FFT_SIZE)[:_TAPS] for each in (own, common))
    autocorrelation[0] *= 1.0 + LOADING
    taps: _Floats = linalg.solve(
        linalg.toeplitz(autocorrelation), correlation, assume_a="pos", check_finite=False
    )
    return taps


def _stretch(samples: Samples, first: int, length: int) -> _Floats:
    """Return ``length`` samples from ``first``, zeros where there are none."""
    inside = samples[max(0, first) : max(0, first + length)]
    stretch = np.zeros(length)
    start = max(0, -first)
    stretch[start : start + inside.size] = inside
    return stretch
