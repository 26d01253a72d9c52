"""WARP-Q: how dearly short stretches of a candidate are warped onto the best place of the clean reference."""

from functools import cache
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from schemas import Reason, UnfitError
from stages.audio.pauses import speech_stretches
from stages.audio.waveform import Samples
from stages.dsp.spectra import Floats, band_powers, mel_filters, periodic_hann
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

_SAMPLE_RATE = 16_000
_FFT, _WINDOW, _HOP = 1_024, 512, 64
_BANDS, _RANGE_HZ = 128, (0.0, 5_000.0)
_COEFFICIENTS, _LIFTER = 13, 3
_LEAST_POWER, _RANGE_DB = 1e-10, 80.0
_PATCH, _STEP = 92, 42
"""Frames of 0.4 s and of 0.2 s, as the authors' code counts them."""
_NORMALISED = 201
"""Frames around each of which coefficients are normalised: 0.836 s."""
_STRIDE = 3
"""Frames of the reference that one step along it takes."""
_LONGEST_S = 15.0
"""Of speech in one part: a patch looks for its place in a whole part, so work grows with the square."""
_TINY = 2.0**-30
_FAR = 1e6
"""Cost of what fills the reference up to whole steps: nothing ends there."""


@METRICS.register
class WarpQ(FullReferenceMetric):
    """The raw score of WARP-Q (Jassim, Skoglund, Chinen and Hines, IET Signal Processing, 2022).

    13 liftered MFCCs up to 5 kHz every 4 ms at 16 kHz, mean and variance of each normalised over 0.8 s; every
    0.2 s a patch of 0.4 s of the candidate is laid on the best place of the reference by subsequence dynamic
    time warping, whose steps are one frame of the patch, three of the reference, or both. The score is the
    median over the patches of the cost per frame of a patch. Unlike the authors' code it leaves out pauses
    where the clean reference has them, on both sides, and cuts more than 15 s of speech into equal parts.
    """

    kind: ClassVar[str] = "warp_q"
    removes_dc: ClassVar[bool] = True
    level_dependent: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.05
    shortest_s: ClassVar[float] = 0.5
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.SIGNAL_FIDELITY,
            better=Better.LOWER,
            low=0.0,
            noise_floor=0.02,
            votes=False,
            note="the raw score, without the authors' mapping onto opinion scores",
        )
    }

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def measure(self, comparison: Comparison) -> Measured:
        """Return the raw score; raises ``UnfitError`` where less than a patch is spoken."""
        clean, candidate = comparison.clean.samples, comparison.candidate.samples
        spoken = np.concatenate(
            [np.arange(start, end) for start, end in speech_stretches(clean, _SAMPLE_RATE)] or [np.arange(0)]
        )
        if spoken.size < _PATCH * _HOP:
            raise UnfitError(Reason.TOO_SHORT, "less than 0.37 s is spoken in the clean reference")
        parts = np.array_split(spoken, -(-spoken.size // round(_LONGEST_S * _SAMPLE_RATE)))
        costs = [_patch_costs(_features(candidate[part]), _features(clean[part])) for part in parts]
        return {"": float(np.median(np.concatenate(costs)))}


def _features(samples: Samples) -> Floats:
    """Return ``(frames, 13)`` of normalised coefficients."""
    padded = np.pad(samples.astype(np.float64), _FFT // 2)
    powers = band_powers(padded, _window(), _HOP, _filters())
    levels_db = 10.0 * np.log10(np.maximum(powers, _LEAST_POWER))
    levels_db = np.maximum(levels_db, levels_db.max() - _RANGE_DB)
    return _normalise(levels_db @ _cosines())


@cache
def _window() -> Floats:
    """Return a Hann window of 32 ms in the middle of a transform of 64 ms."""
    return np.pad(periodic_hann(_WINDOW), (_FFT - _WINDOW) // 2)


@cache
def _filters() -> Floats:
    return mel_filters(_SAMPLE_RATE, _FFT, _BANDS, _RANGE_HZ)


@cache
def _cosines() -> Floats:
    """Return ``(bands, 13)``: an orthonormal cosine transform (type II), and the lifter's weights."""
    orders = np.arange(_COEFFICIENTS)
    cosines = np.cos(np.pi * np.outer(np.arange(_BANDS) + 0.5, orders) / _BANDS) * np.sqrt(2.0 / _BANDS)
    cosines[:, 0] *= np.sqrt(0.5)
    liftered: Floats = cosines * (1.0 + _LIFTER / 2.0 * np.sin(np.pi * (orders + 1) / _LIFTER))
    return liftered


def _normalise(cepstrum: Floats) -> Floats:
    """Return coefficients without their mean, then by their deviation, in windows mirrored at both ends."""
    centred = cepstrum - _windows(cepstrum).mean(axis=-1)
    spread: Floats = centred / (_windows(centred).std(axis=-1) + _TINY)
    return spread


def _windows(cepstrum: Floats) -> Floats:
    half = _NORMALISED // 2
    return sliding_window_view(np.pad(cepstrum, ((half, half), (0, 0)), "symmetric"), _NORMALISED, axis=0)


def _patch_costs(candidate: Floats, clean: Floats) -> Floats:
    """Return the least cost per frame of laying each patch of the candidate on the reference.

    ``total[i, j] = cost[i, j] + min(total[i-1, j], total[i, j-3], total[i-1, j-3])``, from any frame of the
    reference to any other. The steps along it in one row are a running minimum of what is left after the sums
    of costs along the way are taken off.
    """
    frames = -(-len(clean) // _STRIDE) * _STRIDE
    patches = sliding_window_view(candidate, _PATCH, axis=0)[::_STEP].transpose(2, 0, 1)
    total: Floats = np.zeros((0, 0))
    for place, row in enumerate(patches):
        cost = np.full((len(row), frames), _FAR)
        cost[:, : len(clean)] = _distances(row, clean)
        total = cost if place == 0 else _advance(total, cost)
    least: Floats = total[:, : len(clean)].min(axis=1) / _PATCH
    return least


def _distances(left: Floats, right: Floats) -> Floats:
    squares = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1) - 2.0 * left @ right.T
    distances: Floats = np.sqrt(np.maximum(squares, 0.0))
    return distances


def _advance(before: Floats, cost: Floats) -> Floats:
    """Return the totals of the next frame of every patch."""
    reached = before.copy()
    np.minimum(reached[:, _STRIDE:], before[:, :-_STRIDE], out=reached[:, _STRIDE:])
    reached += cost
    along = np.cumsum(cost.reshape(len(cost), -1, _STRIDE), axis=1)
    spared = reached.reshape(along.shape) - along
    np.minimum.accumulate(spared, axis=1, out=spared)
    spared += along
    total: Floats = spared.reshape(cost.shape)
    return total
