"""SI-SDR: fidelity to the clean waveform, blind to overall gain."""

from typing import ClassVar

import numpy as np

from stages.audio.waveform import Samples
from stages.metrics.common.distortion_ratio import DistortionRatio
from stages.operators.metric import METRICS

_PRODUCT_BLOCK = 32_768
"""Samples in double precision at a time: few enough to stay in a core's cache."""


@METRICS.register
class SiSdr(DistortionRatio):
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., ICASSP 2019), means removed.

    What a gain can make of the clean signal is the signal, the rest of the candidate is distortion.
    """

    kind: ClassVar[str] = "si_sdr"
    version: ClassVar[int] = 2
    cost_s_per_s: ClassVar[float] = 0.001

    def energies(self, clean: Samples, candidate: Samples) -> tuple[float, float]:
        """Return the energy of the projection on the clean signal, and of what is orthogonal to it."""
        own, common, given = _inner_products(clean, candidate)
        explained = common**2 / own
        return explained, given - explained


def _inner_products(left: Samples, right: Samples) -> tuple[float, float, float]:
    """Return ``left`` · ``left``, ``left`` · ``right`` and ``right`` · ``right``, in double precision."""
    sums = np.zeros(3)
    for first in range(0, left.size, _PRODUCT_BLOCK):
        ours, theirs = (side[first : first + _PRODUCT_BLOCK].astype(np.float64) for side in (left, right))
        sums += np.dot(ours, ours), np.dot(ours, theirs), np.dot(theirs, theirs)
    own, common, given = sums.tolist()
    return own, common, given
