"""Missing speech: for how long someone speaks in the clean reference and nothing is left in the candidate."""

from typing import ClassVar

import numpy as np

from stages.audio.waveform import Waveform
from stages.dsp.spectra import Floats
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

_FRAME_S = 0.02
_SPEECH_DB = 25.0
"""Frames of the clean reference this near to its loud ones hold speech."""
GONE_DB = 60.0
"""Frames of the candidate this far under its loud ones hold nothing."""


@METRICS.register
class MissingSpeech(FullReferenceMetric):
    """Seconds of clean speech in which the candidate is silent, in frames of 20 ms; a gain moves nothing.

    What a model that stops early, or drops words, leaves behind. Every take is brought to the length of its
    input, so what is too short ends in zeros; a take whose length differs by more than a tenth, or by more
    than half a second, is no candidate at all.
    """

    kind: ClassVar[str] = "missing_speech"
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.001
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.CONTENT_CONSISTENCY,
            better=Better.LOWER,
            low=0.0,
            noise_floor=_FRAME_S,
            votes=False,
            note="a bound for vetoes: most candidates miss nothing, and ties decide nothing",
        )
    }

    def measure(self, comparison: Comparison) -> Measured:
        """Count the frames with speech on one side and nothing on the other."""
        is_speech = _levels_db(comparison.clean) > -_SPEECH_DB
        is_gone = _levels_db(comparison.candidate) < -GONE_DB
        return {"": _FRAME_S * int(np.count_nonzero(is_speech & is_gone))}


def _levels_db(waveform: Waveform) -> Floats:
    """Return the level of each frame over that of the loud ones, in decibels; the last one may be cut."""
    frame = round(_FRAME_S * waveform.sample_rate)
    whole, rest = np.split(waveform.samples, [waveform.samples.size // frame * frame])
    frames = [whole.reshape(-1, frame), np.pad(rest, (0, -rest.size % frame)).reshape(-1, frame)]
    powers = np.concatenate([np.einsum("ij,ij->i", each, each, dtype=np.float64) for each in frames]) / frame
    levels: Floats = 10.0 * np.log10(np.maximum(powers, 1e-20) / max(np.percentile(powers, 95), 1e-20))
    return levels
