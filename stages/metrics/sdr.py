"""SDR: fidelity to the clean waveform, but for what a short filter explains."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft, linalg

from stages.level import ratio_db
from stages.metrics.base import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.metrics.one_by_one import OneByOne

TAPS = 512
"""Of the allowed filter, as BSS Eval has it."""
LOADING = 1e-10
"""Of the energy, on the diagonal: empty bands leave the best filter undetermined, and this decides."""
BOUND_DB = 100.0
"""Rounding to 24 bits alone leaves some 115 dB for speech: what lies beyond says nothing of a restoration."""

Floats = NDArray[np.floating[Any]]


@METRICS.register
class Sdr(OneByOne):
    """Signal-to-distortion ratio of BSS Eval in dB (Vincent et al., TASLP 2006), means removed.

    What some filter of 512 taps can make of the clean signal is the signal, the rest of the candidate is
    distortion: a gain, a delay of up to 511 samples and mild equalisation cost nothing. Saturates at
    ±100 dB.
    """

    kind: ClassVar[str] = "sdr"
    removes_dc: ClassVar[bool] = True
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.SIGNAL_FIDELITY,
            better=Better.HIGHER,
            low=-BOUND_DB,
            high=BOUND_DB,
            noise_floor=0.1,
            votes=False,
            note="meaningless for generative models, which keep the words and not the waveform",
        )
    }

    def measure(self, comparison: Comparison) -> Measured:
        """Compare the part of the candidate that is filtered clean speech with the part that is not."""
        clean = comparison.clean.samples.astype(np.float64)
        candidate = np.pad(comparison.candidate.samples.astype(np.float64), (0, TAPS - 1))
        target = _explained(clean, candidate)
        return {"": float(np.clip(ratio_db(target, candidate - target), -BOUND_DB, BOUND_DB))}


def _explained(clean: Floats, candidate: Floats) -> Floats:
    """Return the least-squares approximation of ``candidate`` by ``clean`` through the filter."""
    size = fft.next_fast_len(candidate.size + TAPS, real=True)
    spectrum = fft.rfft(clean, size)
    autocorrelation = fft.irfft(np.abs(spectrum) ** 2, size)[:TAPS]
    autocorrelation[0] *= 1.0 + LOADING
    correlation = fft.irfft(spectrum.conj() * fft.rfft(candidate, size), size)[:TAPS]
    taps = linalg.solve(linalg.toeplitz(autocorrelation), correlation, assume_a="pos", check_finite=False)
    filtered: Floats = fft.irfft(spectrum * fft.rfft(taps, size), size)[: candidate.size]
    return filtered
