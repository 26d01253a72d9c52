"""Multi-resolution STFT distance: how far apart two spectra lie, up to half the recording's rate."""

from typing import ClassVar

import numpy as np

from stages.dsp.spectra import levels_apart_db
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

FRAMES_S = (0.01, 0.025, 0.05)
"""Seconds; the window lengths of the training loss (Yamamoto et al., ICASSP 2020)."""
_FLOOR_DB = -90.0
"""dBFS of a sine in one bin: 64 dB under the active level, below what the listener of a recording hears."""


@METRICS.register
class MultiResolutionStft(FullReferenceMetric):
    """Mean absolute difference of log magnitudes in dB, over three time-frequency resolutions.

    All bins from 0 Hz to half the recording's own rate count alike, so it hears what metrics at 16 kHz
    cannot. Both sides come at one level; what lies under −90 dBFS in a bin counts as −90 dBFS.
    """

    kind: ClassVar[str] = "multi_resolution_stft"
    version: ClassVar[int] = 2
    level_dependent: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.002
    full_band: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.SIGNAL_FIDELITY,
            better=Better.LOWER,
            low=0.0,
            noise_floor=0.1,
            note="its mean rose at every step of every ladder of damage",
        )
    }

    def measure(self, comparison: Comparison) -> Measured:
        """Return the distance in dB."""
        rate = comparison.clean.sample_rate
        return {"": float(np.mean([_distance_db(comparison, round(rate * s)) for s in FRAMES_S]))}


def _distance_db(comparison: Comparison, frame: int) -> float:
    sides = comparison.candidate.samples, comparison.clean.samples
    distances = [np.mean(np.abs(block), axis=1) for block in levels_apart_db(*sides, frame, _FLOOR_DB)]
    return float(np.mean(np.concatenate(distances)))
