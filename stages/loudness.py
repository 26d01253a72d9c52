"""Loudness: how loud a recording is to the ear (ITU-R BS.1770-4, by pyloudnorm)."""

import math

import numpy as np

from schemas import Reason, UnfitError
from stages.level import Signal, from_db, is_silent, rms, to_db
from stages.resampling import fit_length

_BLOCK_S = 0.4
_NORMAL_DB = -23.0


def loudness_lufs(samples: Signal, sample_rate: int) -> float:
    """Return the integrated loudness in LUFS.

    The absolute gate of −70 LUFS is applied to the signal brought to −23 dBFS RMS, so that a gain of
    the signal is the same gain of its loudness. A recording shorter than the standard's block of
    400 ms is filled up with silence to one block. Raises ``UnfitError`` for what nobody can hear.
    """
    import pyloudnorm  # noqa: PLC0415 - only those who ask for LUFS pay for it

    if is_silent(samples):
        raise UnfitError(Reason.SILENT, "no loudness: under −120 dBFS")
    gain_db = _NORMAL_DB - to_db(rms(samples))
    block = math.ceil(_BLOCK_S * sample_rate)
    whole = samples if samples.size >= block else fit_length(samples, block)
    loud = pyloudnorm.Meter(sample_rate).integrated_loudness(whole.astype(np.float64) * from_db(gain_db))
    if not math.isfinite(loud):
        raise UnfitError(Reason.SILENT, "no loudness: nothing at frequencies that can be heard")
    return float(loud) - gain_db
