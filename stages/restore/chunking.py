"""Long audio in chunks that overlap: where they lie, and how they are put together again."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Samples

CONTEXT_SHARE = 0.25
"""Of an overlap, at either end: there a model has heard too little of what lies beyond its chunk."""


def chunk_places(length: int, longest: int, overlap: int) -> list[slice]:
    """Return where chunks of one size lie: at most ``longest`` samples, neighbours sharing ``overlap``.

    One for all if ``length`` is no more than ``longest``; else of equal size, lest the last be a scrap.
    """
    if length <= longest:
        return [slice(0, length)]
    if not 0 < 3 * overlap <= longest:
        raise ValueError(f"chunks of {longest} samples cannot share {overlap}: at most a third of them")
    count = math.ceil((length - overlap) / (longest - overlap))
    size = math.ceil((length + (count - 1) * overlap) / count)
    starts = [place * (length - size) // (count - 1) for place in range(count)]
    return [slice(start, start + size) for start in starts]


def join_chunks(chunks: Sequence[Samples], places: Sequence[slice]) -> Samples:
    """Return the whole of which ``chunks`` lie at ``places``, faded into one another where they overlap."""
    whole = np.zeros(places[-1].stop, dtype=np.float32)
    whole[places[0]] = chunks[0]
    for (earlier, later), (here, there) in zip(pairwise(chunks), pairwise(places), strict=True):
        shared = here.stop - there.start
        whole[here.stop : there.stop] = later[shared:]
        whole[there.start : here.stop] = _cross_fade(earlier[-shared:], later[:shared])
    return whole


def _cross_fade(earlier: Samples, later: Samples) -> NDArray[np.float64]:
    """Return what goes over from one to the other in its middle half, without a dip or a bump in power.

    The weights keep the power for the correlation that is found: equal gain for chunks that agree, equal
    power for those that a model made up independently.
    """
    context = round(CONTEXT_SHARE * earlier.size)
    rise = np.ones(earlier.size)
    rise[:context] = 0.0
    middle = slice(context, earlier.size - context)
    rise[middle] = np.sin(0.5 * np.pi * np.linspace(0.0, 1.0, earlier.size - 2 * context)) ** 2
    fall = 1.0 - rise
    agreement = _agreement(earlier[middle], later[middle])
    power = np.sqrt(fall**2 + rise**2 + 2.0 * agreement * fall * rise)
    return np.asarray((fall * earlier + rise * later) / power)


def _agreement(left: Samples, right: Samples) -> float:
    """Return the correlation of two signals from 0 to 1; 1 where one of them is silent."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    norm = math.sqrt(float(np.vdot(left, left)) * float(np.vdot(right, right)))
    return float(np.clip(np.vdot(left, right) / norm, 0.0, 1.0)) if norm > 0.0 else 1.0
