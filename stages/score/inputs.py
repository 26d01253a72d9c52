"""Inputs: stored audio as a metric wants it, at its rate, without DC, at one level and of one length."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from schemas import BrokenError, EncodedAudio, Reason, Recipe, UnfitError
from stages.audio.audible import is_inaudible
from stages.audio.cache import AudioCache
from stages.audio.lag import residual_lag_samples
from stages.audio.level import from_db
from stages.audio.loudness import active_level_db
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.operators.metric import Comparison, Metric


@dataclass(frozen=True, slots=True)
class Prepared:
    """A comparison, the gains that brought its sides to the level they are heard at, and how late one is."""

    comparison: Comparison
    gain_db: float = 0.0
    clean_gain_db: float = 0.0
    lag_samples: int = 0
    """By how much the candidate is later than its clean reference, at the recording's rate."""


@dataclass(frozen=True, slots=True)
class MetricInputs:
    """Prepares comparisons for one metric; what was made once is remembered."""

    metric: Metric
    cache: AudioCache
    level_db: float
    """Active level (ITU-T P.56) in dBFS that both sides are brought to if the metric depends on level."""

    def prepare(self, candidate: EncodedAudio, clean: EncodedAudio | None, recipe: Recipe) -> Prepared:
        """Return what the metric is given; ``recipe`` knows what is said, and in which language.

        Raises ``UnfitError`` without the reference or the transcript that the metric needs and for silence
        that has no level; ``BrokenError`` if candidate and clean differ in rate, or in length by more than
        rounding. A lag is no error: it is in the row, and the scores say what it does.
        """
        words = recipe.transcript, recipe.language
        if self.metric.needs_transcript and not recipe.transcript:
            raise UnfitError(Reason.NO_TRANSCRIPT, "the metric compares with the words that were said")
        ours, gain_db = self._side(candidate, "candidate")
        if not self.metric.needs_clean:
            return Prepared(Comparison(ours, ours, *words), gain_db)
        if clean is None:
            raise UnfitError(Reason.NO_REFERENCE, "the metric compares with the clean reference")
        require_alike(candidate, clean)
        theirs, clean_gain_db = self._side(clean, "clean")
        comparison = Comparison(*cut_to_one_length(ours, theirs), *words)
        return Prepared(comparison, gain_db, clean_gain_db, self._lag_samples(candidate, clean))

    def _lag_samples(self, candidate: EncodedAudio, clean: EncodedAudio) -> int:
        """Return what is left of a delay: the restore stage takes back what it finds against the input."""
        name = (candidate.digest, clean.digest, "lag")
        sides = candidate, clean
        return int(self.cache.number(name, lambda: residual_lag_samples(*map(self.cache.waveform, sides))))

    def _side(self, audio: EncodedAudio, role: str) -> tuple[Waveform, float]:
        waveform, name = self._at_rate(audio)
        if not self.metric.level_dependent:
            return waveform, 0.0
        gain_db = self.level_db - self.cache.number(
            (*name, "level"), partial(active_level_of, waveform, role)
        )
        at_level = partial(waveform.scale, from_db(gain_db))
        return self.cache.get((*name, f"{self.level_db} dBFS"), at_level), gain_db

    def _at_rate(self, audio: EncodedAudio) -> tuple[Waveform, tuple[str, ...]]:
        """Return the audio at the metric's rate, and what that is called in the cache.

        DC goes before the rate changes: a resampler rings where a constant begins and ends, and a candidate
        that is one would be heard as two clicks.
        """
        rate = self.metric.sample_rate
        if not self.metric.removes_dc:
            return self.cache.waveform(audio, rate), (audio.digest, str(rate))
        name: tuple[str, ...] = (audio.digest, "without DC")
        centred = self.cache.get(name, lambda: without_dc(self.cache.waveform(audio)))
        if rate is None or rate == centred.sample_rate:
            return centred, name
        name = (*name, str(rate))
        return self.cache.get(name, partial(resample, centred, rate)), name


def without_dc(waveform: Waveform) -> Waveform:
    """Return the samples without their mean."""
    centred = np.empty_like(waveform.samples)  # rounded once, without a copy in double precision
    np.subtract(waveform.samples, waveform.samples.mean(dtype=np.float64), out=centred, casting="same_kind")
    return waveform.with_samples(centred)


def active_level_of(waveform: Waveform, role: str) -> float:
    """Return the active level in dBFS; raises ``UnfitError`` for silence."""
    if is_inaudible(waveform.samples, waveform.sample_rate):
        raise UnfitError(Reason.SILENT, f"{role} is silent")
    return active_level_db(waveform.samples, waveform.sample_rate)


def require_alike(candidate: EncodedAudio, clean: EncodedAudio) -> None:
    """Raise ``BrokenError`` if both are not of one rate, and of one length but for a sample of rounding."""
    apart = abs(candidate.num_samples - clean.num_samples)
    if candidate.sample_rate != clean.sample_rate or apart > 1:
        found = f"candidate {candidate.num_samples} samples at {candidate.sample_rate} Hz"
        raise BrokenError(Reason.WRONG_SHAPE, f"{found}, clean {clean.num_samples} at {clean.sample_rate} Hz")


def cut_to_one_length(candidate: Waveform, clean: Waveform) -> tuple[Waveform, Waveform]:
    """Return both, the longer one cut by what rounding has left."""
    if candidate.samples.size == clean.samples.size:
        return candidate, clean
    shorter = min(candidate.samples.size, clean.samples.size)
    return candidate.with_samples(candidate.samples[:shorter]), clean.with_samples(clean.samples[:shorter])
