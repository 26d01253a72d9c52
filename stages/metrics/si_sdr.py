"""SI-SDR: fidelity to the clean waveform, blind to overall gain."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.level import ratio_db
from stages.metrics.base import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.metrics.one_by_one import OneByOne
from stages.waveform import Samples

BOUND_DB = 100.0
"""Rounding to 24 bits alone leaves some 115 dB for speech: what lies beyond says nothing of a restoration."""


@METRICS.register
class SiSdr(OneByOne):
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., ICASSP 2019), means removed.

    Saturates at ±100 dB, so that a perfect copy and a candidate without a trace of the clean signal have a
    value; two perfect copies tie.
    """

    kind: ClassVar[str] = "si_sdr"
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
        """Compare the part of the candidate that is clean speech with the part that is not."""
        clean = _centred(comparison.clean.samples)
        candidate = _centred(comparison.candidate.samples)
        target = np.dot(candidate, clean) / max(np.dot(clean, clean), 1e-30) * clean
        return {"": float(np.clip(ratio_db(target, candidate - target), -BOUND_DB, BOUND_DB))}


def _centred(samples: Samples) -> NDArray[np.float64]:
    exact = samples.astype(np.float64)
    centred: NDArray[np.float64] = exact - exact.mean()
    return centred
