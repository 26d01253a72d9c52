"""Spectral envelope: whether the voice kept its colour."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from schemas import Reason, UnfitError
from stages.audio.waveform import Waveform
from stages.dsp.spectra import Floats, band_powers, mel_filters, periodic_hann
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

_FRAME_S = 0.032
_BANDS = 40
_SHAPES = 15
"""Cosine components kept: fine enough for formants, too coarse for harmonics, and without the level."""
_LOWEST_HZ = 100.0
_HIGHEST_HZ = 7_600.0
_ACTIVE_DB = 25.0
LOUDNESS = 0.3


@METRICS.register
class SpectralEnvelope(FullReferenceMetric):
    """Cosine between the smoothed spectral envelopes of candidate and clean, over frames with speech.

    Envelopes are mel powers from 100 Hz to 7.6 kHz, or to 95 % of half the rate if that is lower, raised to
    0.3 as loudness is (Stevens, 1957) and reduced to their first cosine components without the mean.
    Loudness, not decibels: formant peaks outweigh the valleys that noise fills, so moved formants cost more
    than noise. Frames with speech are those within 25 dB of the loud ones of the clean reference.
    From −1 to 1; a gain moves nothing.
    """

    kind: ClassVar[str] = "spectral_envelope"
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.002
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.TIMBRE_PRESERVATION,
            better=Better.HIGHER,
            low=-1.0,
            high=1.0,
            noise_floor=0.001,
            note="timbre proxy: compares the colour of aligned sounds, does not recognise speakers; its "
            "mean fell at every step of another speaker, and as much with other words of the same one",
        )
    }

    def measure(self, comparison: Comparison) -> Measured:
        """Return the cosine; raises ``UnfitError`` where one side has nothing in the band."""
        clean, candidate = _mel_powers(comparison.clean), _mel_powers(comparison.candidate)
        active = _active_frames_of(clean)
        ours, theirs = _shapes_of(clean[active]), _shapes_of(candidate[active])
        size = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
        if size == 0.0:
            raise UnfitError(Reason.SILENT, "nothing between 100 Hz and 7.6 kHz where the clean one speaks")
        return {"": float(np.clip(np.sum(ours * theirs) / size, -1.0, 1.0))}


def _mel_powers(waveform: Waveform) -> Floats:
    frame = round(_FRAME_S * waveform.sample_rate)
    highest_hz = min(_HIGHEST_HZ, 0.475 * waveform.sample_rate)
    filters = mel_filters(waveform.sample_rate, frame, _BANDS, (_LOWEST_HZ, highest_hz))
    return band_powers(waveform.samples, periodic_hann(frame), frame // 2, filters)


def _active_frames_of(powers: Floats) -> NDArray[np.bool_]:
    energy = powers.sum(axis=1)
    active: NDArray[np.bool_] = energy >= np.percentile(energy, 95) * 10.0 ** (-_ACTIVE_DB / 10.0)
    return active


def _shapes_of(powers: Floats) -> Floats:
    shapes: Floats = powers**LOUDNESS @ _COSINES
    return shapes


_COSINES = np.cos(np.pi * np.outer(np.arange(_BANDS) + 0.5, np.arange(1, _SHAPES + 1)) / _BANDS)
