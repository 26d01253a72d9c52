"""Room above the signal, for codecs that work in 16 bits and flatten whatever does not fit."""

from collections.abc import Callable

import numpy as np

from stages.audio.level import peak
from stages.audio.waveform import Samples

_CEILING = 0.5
"""6 dB: what codecs overshoot by."""


def with_headroom(process: Callable[[Samples], Samples], samples: Samples) -> Samples:
    """Return what ``process`` makes of ``samples``, which it is given at a peak of at most 0.5."""
    gain = np.float32(min(1.0, _CEILING / max(peak(samples), 1e-12)))
    if gain == 1.0:
        return process(samples)
    return np.asarray(process(samples * gain) / gain, dtype=np.float32)
