"""Loudness: of speech while it is spoken (ITU-T P.56, method B), and to the ear (ITU-R BS.1770-4)."""

import math

import numpy as np
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.audio.audible import remove_infrasound
from stages.audio.level import SILENCE_RMS, Signal, from_db, is_silent, rms, to_db
from stages.audio.resampling import fit_length

TIME_CONSTANT_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
STEP_DB = 1.5
NUM_THRESHOLDS = 64
TICKS_PER_S = 1_000
"""How often the envelope is looked at: it moves with 30 ms."""
_BLOCK_S = 0.4
_NORMAL_DB = -23.0


def active_level_db(samples: Signal, sample_rate: int) -> float:
    """Return the level of the active part in dBFS (RMS; a full-scale sine has −3.01).

    The activity threshold lies 15.9 dB under the level that it gives, as the standard demands. The
    series of thresholds hangs from the loudest envelope instead of full scale, so that a gain of the
    signal is the same gain of its level. Raises ``UnfitError`` where nothing can be heard.
    """
    heard = remove_infrasound(samples, sample_rate)
    level = rms(heard)
    if level < SILENCE_RMS:
        raise UnfitError(Reason.SILENT, "no active speech level: under −120 dBFS")
    envelope = _envelope(heard, sample_rate)
    loudest, below_db = float(envelope.max()), STEP_DB * np.arange(NUM_THRESHOLDS)
    shares = _active_shares(envelope, loudest * 10 ** (-below_db / 20))  # the first is the loudest itself
    levels_db = to_db(level) - 10 * np.log10(shares)
    return _level_at_margin(levels_db, levels_db - to_db(loudest) + below_db)


def _envelope(samples: Signal, sample_rate: int) -> NDArray[np.float64]:
    """Smooth the absolute values twice, and return one value per tick.

    What a tick adds to either recursion is a weighted sum of its samples, so that the recursions go from
    tick to tick instead of from sample to sample. Summed not by BLAS, as energies are not.
    """
    from scipy.signal import lfilter  # noqa: PLC0415 - takes most of a second to load

    step = max(1, sample_rate // TICKS_PER_S)
    decay = math.exp(-1.0 / (TIME_CONSTANT_S * sample_rate))
    age = np.arange(step)[::-1]
    once = (1.0 - decay) * decay**age
    twice = (1.0 - decay) * (age + 1) * once
    heard_once, heard_twice = np.einsum(
        "ij,kj->ki", _split_into_ticks(samples, step), np.stack([once, twice])
    )
    recursion = [1.0], [1.0, -(decay**step)]
    smooth = lfilter(*recursion, heard_once)
    carried = (1.0 - decay) * step * decay**step * np.pad(smooth[:-1], (1, 0))
    return np.asarray(lfilter(*recursion, heard_twice + carried))


def _split_into_ticks(samples: Signal, step: int) -> NDArray[np.float64]:
    """Return absolute values (ticks, ``step``); the last tick ends with the last sample."""
    lead = -samples.size % step
    magnitudes = np.zeros(lead + samples.size)
    np.abs(samples, out=magnitudes[lead:], dtype=np.float64)
    return magnitudes.reshape(-1, step)


def _active_shares(envelope: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of ticks that are above each threshold or within the hangover after one that is."""
    from scipy.ndimage import maximum_filter1d  # noqa: PLC0415 - as above

    hangover = round(HANGOVER_S * TICKS_PER_S)
    held = maximum_filter1d(envelope, hangover + 1, origin=hangover // 2, mode="constant")
    active = envelope.size - np.searchsorted(np.sort(held), thresholds)
    return np.asarray(np.maximum(1, active) / envelope.size)


def _level_at_margin(levels_db: NDArray[np.float64], excess_db: NDArray[np.float64]) -> float:
    """Interpolate where the level exceeds its threshold by the margin; thresholds fall along the arrays."""
    near_enough = np.flatnonzero(excess_db <= MARGIN_DB)
    if near_enough.size == 0:  # a click: louder than any threshold on its own smoothed envelope
        return float(levels_db[0])
    lowest = int(near_enough[-1])
    crossing = slice(lowest, lowest + 2)
    return float(np.interp(MARGIN_DB, excess_db[crossing], levels_db[crossing]))


def loudness_lufs(samples: Signal, sample_rate: int) -> float:
    """Return the integrated loudness in LUFS.

    The absolute gate of −70 LUFS is applied to the signal brought to −23 dBFS RMS, so that a gain of
    the signal is the same gain of its loudness. A recording shorter than the standard's block of
    400 ms is filled up with silence to one block. Raises ``UnfitError`` for what nobody can hear.
    """
    import pyloudnorm  # noqa: PLC0415 - only those who ask for LUFS pay for it

    heard = remove_infrasound(samples, sample_rate)
    if is_silent(heard):
        raise UnfitError(Reason.SILENT, "no loudness: under −120 dBFS")
    gain_db = _NORMAL_DB - to_db(rms(heard))
    block = math.ceil(_BLOCK_S * sample_rate)
    whole = heard if heard.size >= block else fit_length(heard, block)
    loud = pyloudnorm.Meter(sample_rate).integrated_loudness(whole.astype(np.float64) * from_db(gain_db))
    if not math.isfinite(loud):
        raise UnfitError(Reason.SILENT, "no loudness: nothing at frequencies that can be heard")
    return float(loud) - gain_db
