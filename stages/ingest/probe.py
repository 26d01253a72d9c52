"""What can be said of a recording by looking at its samples."""

import numpy as np

from schemas import Probe
from stages.audio.bandwidth import bandwidth_hz
from stages.audio.level import peak
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Samples, Waveform

NEAR_FULL_SCALE = 0.9
SHORTEST_RUN = 3
"""Two equal samples at the top are common in undamaged audio; three in a row hardly occur."""


def probe(waveform: Waveform, channels: int) -> Probe:
    """Measure ``waveform``, which was mixed from ``channels``. Raises ``UnfitError`` for silence."""
    return Probe(
        sample_rate=waveform.sample_rate,
        duration_s=waveform.duration_s,
        channels=channels,
        peak=peak(waveform.samples),
        dc_offset=float(waveform.samples.mean(dtype=np.float64)),
        clipped_fraction=clipped_fraction(waveform.samples),
        active_level_db=active_level_db(waveform.samples, waveform.sample_rate),
        bandwidth_hz=bandwidth_hz(waveform.samples, waveform.sample_rate),
    )


def clipped_fraction(samples: Samples) -> float:
    """Return the share of samples in runs of three or more at the highest, or at the lowest, value.

    Only values of at least 0.9 count. Each side has its own value: integers reach one step further down.
    """
    return sum(_count_held(samples, sign) for sign in (1, -1)) / samples.size


def _count_held(samples: Samples, sign: int) -> int:
    top = float((sign * samples).max())
    if top < NEAR_FULL_SCALE:
        return 0
    at_top = np.pad(samples == np.float32(sign * top), 1).astype(np.int8)
    edges = np.diff(at_top)
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return int(lengths[lengths >= SHORTEST_RUN].sum())
