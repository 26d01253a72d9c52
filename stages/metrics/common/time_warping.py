"""Dynamic time warping: two sequences of vectors laid side by side where they are most alike."""

import numpy as np
from numpy.typing import NDArray

from stages.dsp.spectra import Floats


def warped_distance(left: Floats, right: Floats, band: int) -> float:
    """Return the mean Euclidean distance along the best path through ``(frames, features)`` of both.

    The path goes from corner to corner by steps of one frame in either or both (Sakoe and Chiba, 1978,
    without weights), and its sides are never more than ``band`` frames apart, or as many as their lengths
    differ by. It is the one with the least sum; its length divides that sum. Works along anti-diagonals,
    which depend on the two before them alone.
    """
    band = max(band, abs(len(left) - len(right)))
    before, last = _edge(band), _edge(band)
    for diagonal in range(len(left) + len(right) - 1):
        rows = _rows(diagonal, len(left), len(right), band)
        costs = np.linalg.norm(left[rows] - right[diagonal - rows], axis=1)
        before, last = (
            last,
            _advance_diagonal(before, last, _places(rows, diagonal, band), costs, first=diagonal == 0),
        )
    total, steps = last[:, _places(np.array([len(left) - 1]), len(left) + len(right) - 2, band)[0]]
    return float(total / steps)


def _edge(band: int) -> Floats:
    """Return ``(2, places)``: least sums and lengths of their paths, nothing reached, a rim at both ends."""
    return np.stack([np.full(2 * band + 3, np.inf), np.zeros(2 * band + 3)])


def _rows(diagonal: int, left: int, right: int, band: int) -> NDArray[np.int_]:
    first = max(0, diagonal - right + 1, -(-(diagonal - band) // 2))
    last = min(left - 1, diagonal, (diagonal + band) // 2)
    return np.arange(first, last + 1)


def _places(rows: NDArray[np.int_], diagonal: int, band: int) -> NDArray[np.int_]:
    """Return where the cells of a diagonal are kept: by how far they are from the middle."""
    return 2 * rows - diagonal + band + 1


def _advance_diagonal(
    before: Floats, last: Floats, places: NDArray[np.int_], costs: Floats, *, first: bool
) -> Floats:
    """Return the next diagonal: each cell from the best of its three neighbours."""
    now = _edge((before.shape[1] - 3) // 2)
    if first:
        now[0, places], now[1, places] = costs, 1.0
        return now
    ways = np.stack([before[:, places], last[:, places - 1], last[:, places + 1]])
    best = ways[np.argmin(ways[:, 0], axis=0), :, np.arange(places.size)].T
    now[0, places], now[1, places] = best[0] + costs, best[1] + 1.0
    return now
