"""Mel-cepstral distance: how far the spectral envelopes lie apart, sound by sound."""

from typing import ClassVar

import numpy as np

from stages.audio.waveform import Waveform
from stages.dsp.spectra import Floats, band_powers, mel_filters, periodic_hann
from stages.metrics.common.time_warping import warped_distance
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

_SAMPLE_RATE = 16_000
_FRAME, _HOP = 512, 160
_BANDS = 40
RANGE_HZ = (50.0, 7_600.0)
COEFFICIENTS = 24
_FLOOR_DB = -90.0
"""dBFS of a sine in one band: 64 dB under the active level."""
BAND_FRAMES = 25
"""A quarter of a second: candidates are aligned, and only speech that was made anew drifts."""
DECIBELS = 10.0 * np.sqrt(2.0) / np.log(10.0)


@METRICS.register
class MelCepstralDistance(FullReferenceMetric):
    """Mel-cepstral distance in dB (Kubichek, 1993), over frames that time warping lays side by side.

    10·√2 / ln 10 times the Euclidean distance of coefficients 1 to 24 of the cepstrum of log mel powers
    (40 bands from 50 Hz to 7.6 kHz, frames of 32 ms every 10 ms, at 16 kHz), its mean over the path of least
    distance that strays no more than 0.25 s. Without the coefficient 0: a gain moves nothing but the floor
    of −90 dBFS per band, so both sides come at one level.
    """

    kind: ClassVar[str] = "mel_cepstral_distance"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.02
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.SIGNAL_FIDELITY,
            better=Better.LOWER,
            low=0.0,
            noise_floor=0.1,
            votes=False,
            note="a distance of envelopes: cannot tell a lost sound from one said in another voice",
        )
    }

    @property
    def sample_rate(self) -> int:
        """16 kHz, so that distances of recordings at all rates compare."""
        return _SAMPLE_RATE

    def measure(self, comparison: Comparison) -> Measured:
        """Return the distance in dB."""
        sides = _cepstrum(comparison.candidate), _cepstrum(comparison.clean)
        return {"": float(DECIBELS * warped_distance(*sides, BAND_FRAMES))}


def _cepstrum(waveform: Waveform) -> Floats:
    """Return ``(frames, 24)`` coefficients c of ln power = c0 + 2 Σ cₘ cos(mω)."""
    window = periodic_hann(_FRAME)
    powers = band_powers(waveform.samples, window, _HOP, _FILTERS) * (2.0 / window.sum()) ** 2
    logs = np.log(np.maximum(powers, 10.0 ** (_FLOOR_DB / 10.0)))
    cepstrum: Floats = logs @ _COSINES
    return cepstrum


_AREAS = mel_filters(_SAMPLE_RATE, _FRAME, _BANDS, RANGE_HZ)
_FILTERS = _AREAS / _AREAS.max(axis=1, keepdims=True)
_COSINES = np.cos(np.pi * np.outer(np.arange(_BANDS) + 0.5, np.arange(1, COEFFICIENTS + 1)) / _BANDS) / _BANDS
