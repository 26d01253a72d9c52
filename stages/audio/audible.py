"""What of a recording can be heard: all but its offset and what is slower than 20 Hz.

An offset, drift and infrasound fill a file, and are no part of how loud it is. So a level, an SNR or a gain
that follows a level means what is measured here; ``stages/audio/level.py`` has what counts every sample.

What is left out is the smoothest curve through the recording: its spectrum times 1 / (1 + (f / 20 Hz)⁶),
without phase. An offset goes altogether, 5 Hz go down by 72 dB, 50 Hz by 0.04 dB. The curve is made of the
means of ticks of 2 to 3 ms, so that it costs next to nothing.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from stages.audio.fft_length import quick_length
from stages.audio.level import GLANCE, SILENCE_RMS, Signal, energy, mean_root, to_db

LOWEST_AUDIBLE_HZ = 20.0
_STEEPNESS = 6
_TICKS_PER_S = 320
"""At least. A tone within 20 Hz of their rate, or of a multiple, counts by up to 0.01 dB more or less."""
_MIRRORED_S = 0.25
_END_S = 0.1
_FEWEST_TICKS = 8
_CANCELLED = 1e-3
"""Of less than this share of the energy, what single precision has left may be rounding."""

_Ticks = NDArray[np.float64]


def remove_infrasound(samples: Signal, sample_rate: int) -> Signal:
    """Return what can be heard of ``samples``, one by one."""
    if samples.size == 0:
        return samples
    tick = _tick_within(sample_rate)
    whole = samples.size // tick * tick
    curve = _smoothest_curve(_means_of(samples, tick), sample_rate / tick).astype(samples.dtype)
    knots = np.concatenate([curve[:1], (curve[1:] + curve[:-1]) / 2, curve[-1:]])
    shares = ((np.arange(tick) + 0.5) / tick).astype(samples.dtype)
    heard = np.empty_like(samples)
    heard[whole:] = samples[whole:] - curve[-1]
    rows, starts = heard[:whole].reshape(-1, tick), knots[: whole // tick, None]
    np.multiply(knots[1 : 1 + whole // tick, None] - starts, shares, out=rows)
    rows += starts
    np.subtract(samples[:whole].reshape(-1, tick), rows, out=rows)
    return heard


def audible_rms(samples: Signal, sample_rate: int) -> float:
    """Return the root mean square over all samples of what can be heard."""
    return mean_root(audible_energy(samples, sample_rate), samples.size)


def audible_ratio_db(signal: Signal, noise: Signal, sample_rate: int) -> float:
    """Return the power ratio in decibels of what can be heard of two signals."""
    level, other = (max(audible_rms(each, sample_rate), 1e-12) for each in (signal, noise))
    return to_db(level / other)


def is_inaudible(samples: Signal, sample_rate: int) -> bool:
    """Whether what can be heard is under −120 dBFS: the beginning of a recording mostly tells."""
    so_far, limit = 0.0, SILENCE_RMS**2 * samples.size
    for start in range(0, samples.size, GLANCE):
        so_far += audible_energy(samples[start : start + GLANCE], sample_rate)
        if not so_far <= limit:
            return False
    return True


def audible_energy(samples: Signal, sample_rate: int) -> float:
    """Return the sum of squares of what can be heard."""
    return float(audible_energies(samples, sample_rate, _tick_within(sample_rate)).sum())


def audible_energies(samples: Signal, sample_rate: int, frame: int) -> _Ticks:
    """Return the sum of squares of what can be heard, per ``frame`` samples; the last may have fewer.

    The curve is taken away not from the samples but from the energies, as ∑(x − c)² = ∑x² − ∑c(2x − c).
    """
    if samples.size == 0:
        return np.zeros(0)
    tick = _tick_within(sample_rate, frame)
    means, squares = _means_of(samples, tick), _squares_of(samples, tick)
    counts = np.full(means.size, float(tick))
    counts[-1] = samples.size - tick * (means.size - 1)
    curve = _smoothest_curve(means, sample_rate / tick)
    slopes = np.gradient(curve) if curve.size > 1 else np.zeros(1)
    heard = squares - counts * (curve * (2.0 * means - curve) + np.square(slopes) / 12.0)
    if samples.dtype != np.float64 and not heard.sum() >= _CANCELLED * squares.sum():
        return _exact_energies(samples, sample_rate, frame)
    return np.maximum(_add_up(heard, frame // tick), 0.0)


def _exact_energies(samples: Signal, sample_rate: int, frame: int) -> _Ticks:
    heard = remove_infrasound(samples.astype(np.float64), sample_rate)
    return _add_up(np.square(heard), frame)


def _add_up(values: _Ticks, together: int) -> _Ticks:
    return np.asarray(np.add.reduceat(values, np.arange(0, values.size, together)))


def _means_of(samples: Signal, tick: int) -> _Ticks:
    """Return the mean of every ``tick`` samples; the last may have fewer."""
    whole = samples.size // tick * tick
    means = np.einsum("ij->i", samples[:whole].reshape(-1, tick)).astype(np.float64) / tick
    return means if whole == samples.size else np.append(means, samples[whole:].mean(dtype=np.float64))


def _squares_of(samples: Signal, tick: int) -> _Ticks:
    """Return the sum of squares of every ``tick`` samples; the last may have fewer."""
    whole = samples.size // tick * tick
    rows = samples[:whole].reshape(-1, tick)
    squares = np.einsum("ij,ij->i", rows, rows).astype(np.float64)
    return squares if whole == samples.size else np.append(squares, energy(samples[whole:]))


def _tick_within(sample_rate: int, frame: int | None = None) -> int:
    """Return how many samples make a tick: a power of two, or what divides ``frame``."""
    longest = max(1, sample_rate // _TICKS_PER_S)
    if frame is None:
        return 1 << int(math.log2(longest))
    return next(tick for tick in range(min(longest, frame), 0, -1) if frame % tick == 0)


def _smoothest_curve(means: _Ticks, ticks_per_s: float) -> _Ticks:
    """Return what is slower than 20 Hz in ``means``; of fewer than eight, their mean."""
    middle = means.mean(dtype=np.float64)
    if means.size < _FEWEST_TICKS:
        return np.full(means.size, middle)
    mirrored = min(round(_MIRRORED_S * ticks_per_s), means.size)
    around = means - middle
    before, after = (_mirror(side, mirrored, ticks_per_s) for side in (around, around[::-1]))
    whole = np.concatenate([before[::-1], around, after])
    size = quick_length(whole.size)
    smooth = fft.irfft(fft.rfft(whole, size) * _gains(size, ticks_per_s), size)
    return np.asarray(smooth[mirrored : mirrored + means.size] + middle)


@lru_cache(maxsize=64)
def _gains(size: int, ticks_per_s: float) -> _Ticks:
    """Return what a spectrum of so many ticks is multiplied by."""
    hertz = fft.rfftfreq(size, 1.0 / ticks_per_s)
    return np.asarray(1.0 / (1.0 + (hertz / LOWEST_AUDIBLE_HZ) ** _STEEPNESS))


def _mirror(around: _Ticks, mirrored: int, ticks_per_s: float) -> _Ticks:
    """Return how ``around`` goes on before its beginning, going backwards.

    It is mirrored in the point where a cubic through its first 100 ms begins: drift goes on as it was, and
    a beginning in the middle of a wave does not count as an offset.
    """
    near = around[: max(_FEWEST_TICKS, round(_END_S * ticks_per_s))]
    t = (np.arange(near.size) + 0.5) / near.size
    weights = 16.0 - 120.0 * t + 240.0 * t**2 - 140.0 * t**3  # of the least squares; Legendre, to order 3
    return np.asarray(2.0 * (weights * near).sum() / weights.sum() - around[:mirrored])
