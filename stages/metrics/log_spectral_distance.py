"""Log-spectral distance: how far apart two spectra lie, each moment's worst bands counting most."""

from typing import ClassVar

import numpy as np

from stages.dsp.spectra import levels_apart_db
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

LSD_FRAME_S = 0.032
LSD_FLOOR_DB = -90.0
"""dBFS of a sine in one bin: 64 dB under the active level, below what the listener of a recording hears."""


@METRICS.register
class LogSpectralDistance(FullReferenceMetric):
    """Root mean square over the bins of the difference of log spectra in dB, its mean over the frames.

    The d2 of Gray and Markel (IEEE Transactions on ASSP, 1976) on Hann windows of 32 ms, half overlapped,
    from 0 Hz to half the recording's own rate. Both sides come at one level; what lies under −90 dBFS in a
    bin counts as −90 dBFS.
    """

    kind: ClassVar[str] = "log_spectral_distance"
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
            votes=False,
            note="mostly repeats multi_resolution_stft, so no vote by default",
        )
    }

    def measure(self, comparison: Comparison) -> Measured:
        """Return the distance in dB."""
        frame = round(LSD_FRAME_S * comparison.clean.sample_rate)
        sides = comparison.candidate.samples, comparison.clean.samples
        blocks = levels_apart_db(*sides, frame, LSD_FLOOR_DB)
        distances = [np.sqrt(np.mean(np.square(block), axis=1)) for block in blocks]
        return {"": float(np.mean(np.concatenate(distances)))}
