"""Hearing: stored audio as a metric wants it, at its rate, without DC, at one level and of one length."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from schemas import BrokenError, EncodedAudio, Reason, UnfitError
from stages.active_level import active_level_db
from stages.audio_memory import AudioMemory
from stages.level import from_db, is_silent
from stages.metrics.base import Comparison, Metric
from stages.waveform import Waveform


@dataclass(frozen=True, slots=True)
class Hearing:
    """Prepares comparisons for one metric; what was made once is remembered."""

    metric: Metric
    memory: AudioMemory
    level_db: float
    """Active level (ITU-T P.56) in dBFS that both sides are brought to if the metric depends on level."""

    def comparison(self, candidate: EncodedAudio, clean: EncodedAudio, transcript: str | None) -> Comparison:
        """Return what the metric is given.

        Raises ``UnfitError`` without a transcript that the metric needs and for silence that has no level;
        ``BrokenError`` if candidate and clean differ in rate, or in length by more than rounding.
        """
        if self.metric.needs_transcript and not transcript:
            raise UnfitError(Reason.NO_TRANSCRIPT, "the metric compares with the words that were said")
        sides = of_one_length(self._heard(candidate, "candidate"), self._heard(clean, "clean"))
        return Comparison(*sides, transcript)

    def _heard(self, audio: EncodedAudio, role: str) -> Waveform:
        waveform = self.memory.waveform(audio, self.metric.sample_rate)
        name: tuple[str, ...] = (audio.digest, str(waveform.sample_rate))
        if self.metric.removes_dc:
            name = (*name, "without DC")
            waveform = self.memory.made(name, partial(without_dc, waveform))
        if self.metric.level_dependent:
            name = (*name, f"{self.level_db} dBFS")
            waveform = self.memory.made(name, partial(at_level, waveform, self.level_db, role))
        return waveform


def without_dc(waveform: Waveform) -> Waveform:
    """Return the samples without their mean."""
    return waveform.with_samples(waveform.samples - np.mean(waveform.samples, dtype=np.float64))


def at_level(waveform: Waveform, level_db: float, role: str) -> Waveform:
    """Return the samples at ``level_db`` dBFS active level; raises ``UnfitError`` for silence."""
    if is_silent(waveform.samples):
        raise UnfitError(Reason.SILENT, f"{role} is silent")
    return waveform.scaled(from_db(level_db - active_level_db(waveform.samples, waveform.sample_rate)))


def of_one_length(candidate: Waveform, clean: Waveform) -> tuple[Waveform, Waveform]:
    """Return both, the longer one cut by the one sample that resampling may leave.

    Raises ``BrokenError`` if rates differ, or lengths by more than that.
    """
    sizes = candidate.samples.size, clean.samples.size
    if candidate.sample_rate != clean.sample_rate or abs(sizes[0] - sizes[1]) > 1:
        found = f"candidate {sizes[0]} samples at {candidate.sample_rate} Hz"
        raise BrokenError(Reason.WRONG_SHAPE, f"{found}, clean {sizes[1]} at {clean.sample_rate} Hz")
    if sizes[0] == sizes[1]:
        return candidate, clean
    shorter = min(sizes)
    return candidate.with_samples(candidate.samples[:shorter]), clean.with_samples(clean.samples[:shorter])
