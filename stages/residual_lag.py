"""Residual lag: by how much degraded speech is later than its reference after the whole chain."""

import numpy as np

from stages.alignment import lag_samples
from stages.waveform import Samples, Waveform

_WINDOW_S = 1.0
"""One second tells; the whole of a long recording would cost more than the damage."""
_REACH_S = 0.1
"""More than any codec delays."""
_HOP_S = 0.05


def residual_lag_samples(degraded: Waveform, reference: Waveform) -> int:
    """Return the lag that GCC-PHAT finds in the loudest second of the reference; 0 if none stands out."""
    rate = reference.sample_rate
    window = find_loudest(reference.samples, round(_WINDOW_S * rate), max(1, round(_HOP_S * rate)))
    return lag_samples(degraded.samples[window], reference.samples[window], round(_REACH_S * rate))


def find_loudest(samples: Samples, length: int, hop: int) -> slice:
    """Return the stretch of ``length`` samples with the most energy, looked at every ``hop`` samples."""
    if samples.size <= length:
        return slice(0, samples.size)
    blocks = samples[: samples.size // hop * hop].reshape(-1, hop)
    until = np.append(0.0, np.cumsum(np.einsum("ij,ij->i", blocks, blocks), dtype=np.float64))
    width = length // hop
    start = min(int(np.argmax(until[width:] - until[:-width])) * hop, samples.size - length)
    return slice(start, start + length)
