"""What SDR and SI-SDR share: a ratio of energies in dB, its bounds, and what it is worth."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from stages.audio.waveform import Samples
from stages.operators.metric import Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

BOUND_DB = 100.0
"""Rounding to 24 bits alone leaves some 115 dB for speech: what lies beyond says nothing of a restoration."""


class DistortionRatio(FullReferenceMetric):
    """How much of the candidate is clean speech, over how much is not.

    Saturates at ±100 dB, so that a perfect copy and a candidate without a trace of the clean signal have a
    value; two perfect copies tie.
    """

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

    @abstractmethod
    def energies(self, clean: Samples, candidate: Samples) -> tuple[float, float]:
        """Return the energy of the part of the candidate that is clean speech, and of the rest."""

    def measure(self, comparison: Comparison) -> Measured:
        """Return the ratio in dB."""
        explained, rest = self.energies(comparison.clean.samples, comparison.candidate.samples)
        least = (explained + rest) * 10.0 ** (-2.0 * BOUND_DB / 10.0)
        ratio_db = 10.0 * np.log10(max(explained, least) / max(rest, least))
        return {"": float(np.clip(ratio_db, -BOUND_DB, BOUND_DB))}
