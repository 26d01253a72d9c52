"""Where restorations belong: at the time, length, rate and level of what they were made from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from statistics import median_low

import numpy as np

from schemas import BrokenError, Reason, UnfitError
from stages.audio.audible import is_inaudible, remove_infrasound
from stages.audio.lag import align, clear_lag_samples, find_loudest
from stages.audio.level import from_db
from stages.audio.loudness import active_level_db
from stages.audio.resampling import resample, resampled_length
from stages.audio.waveform import ConfidentWaveform, Samples, Waveform
from stages.operators.restorer import Restorer
from stages.restore.chunking import chunk_places, join_chunks

_MAX_LAG_S = 0.25
LAG_WINDOW_S = 4.0
"""What a lag is looked for in: more would cost as much as a fast model, and tell no more."""
LAG_HOP_S = 0.1
NEGLIGIBLE_GAIN_DB = 0.01
LENGTH_TOLERANCE_SHARE = 0.1
LONGEST_TOLERANCE_S = 0.5
SHORTEST_TOLERANCE_S = 0.1
"""Models work in frames of up to 64 ms, however short the input is."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A restoration that belongs to its input sample by sample, and what that took."""

    waveform: Waveform
    lag_samples: int
    """The delay that was taken back, at the input's rate; the median of the chunks, if it came in several."""
    length_change_s: float
    """By how much longer than its input the output was before it was fitted; the largest of the chunks."""
    level_gain_db: float
    confidence: float | None = None
    """The model's, weighted by the length of chunks; None unless it says one of each."""


class ModelInput:
    """A recording as a model gets to hear it, and the measure of what comes back."""

    def __init__(self, waveform: Waveform, model: Restorer) -> None:
        """Cut ``waveform`` as the model wants it. Raises ``UnfitError`` for silence: nothing to restore."""
        if is_inaudible(waveform.samples, waveform.sample_rate):
            raise UnfitError(Reason.SILENT, "nothing to restore: under −120 dBFS")
        self._whole = waveform
        self._given_rate = model.sample_rate or waveform.sample_rate
        self._places = _places(waveform, model)
        self._sounding = [
            place for place in self._places if not is_inaudible(waveform.samples[place], waveform.sample_rate)
        ]

    @cached_property
    def chunks(self) -> tuple[Waveform, ...]:
        """What the model is given, one after the other: chunks that are silent stay as they are."""
        return tuple(replace(self._whole, samples=self._whole.samples[place]) for place in self._sounding)

    @property
    def named_chunks(self) -> Iterator[tuple[tuple[str | int, ...], Waveform]]:
        """The chunks and their names in a path of names, which is nothing for a recording in one piece."""
        if len(self._places) == 1:
            yield (), self._whole
            return
        for place, chunk in zip(self._sounding, self.chunks, strict=True):
            yield ("chunk", self._places.index(place)), chunk

    @cached_property
    def level_db(self) -> float:
        """The active level that restorations are brought to."""
        return active_level_db(self._whole.samples, self._whole.sample_rate)

    def fit(self, outputs: Sequence[Waveform], *, restores_level: bool) -> Fitted:
        """Return what the model made of the chunks as one recording, where and as loud as this one.

        Raises ``BrokenError`` for what is no restoration: another length, not finite, or silent.
        """
        restored = [_match_chunk(chunk, output) for chunk, output in zip(self.chunks, outputs, strict=True)]
        lags, usual = self._lags(restored)
        whole = self._join(restored, lags)
        if is_inaudible(whole.samples, whole.sample_rate):
            raise BrokenError(Reason.SILENT, "the output is under −120 dBFS")
        gain_db = 0.0 if restores_level else self._gain_db(whole)
        fitted = whole.scale(from_db(gain_db)) if gain_db else whole
        return Fitted(fitted, usual, self._length_change_s(outputs), gain_db, self._confidence(outputs))

    def _confidence(self, outputs: Sequence[Waveform]) -> float | None:
        """Return the mean of what the model says of its outputs; what is not finite says nothing."""
        said = [output.confidence for output in outputs if isinstance(output, ConfidentWaveform)]
        if len(said) != len(outputs) or not said or not np.isfinite(said).all():
            return None
        return float(np.average(said, weights=[chunk.duration_s for chunk in self.chunks]))

    def _length_change_s(self, outputs: Sequence[Waveform]) -> float:
        """Return by how much longer outputs are than what the model was given: the largest change."""
        changes = [_longer_s(*sides, self._given_rate) for sides in zip(self.chunks, outputs, strict=True)]
        return max(changes, key=abs, default=0.0)

    def _lags(self, restored: Sequence[Samples]) -> tuple[list[int], int]:
        """Return how late each chunk is, and the median; where no lag stands out, it is taken for that."""
        found = [_lag(each, chunk) for each, chunk in zip(restored, self.chunks, strict=True)]
        clear = [lag for lag in found if lag is not None]
        usual = median_low(clear) if clear else 0
        return [usual if lag is None else lag for lag in found], usual

    def _join(self, restored: Sequence[Samples], lags: Sequence[int]) -> Waveform:
        chunks = {place.start: self._whole.samples[place] for place in self._places}
        for place, samples, lag in zip(self._sounding, restored, lags, strict=True):
            chunks[place.start] = align(samples, lag, place.stop - place.start)
        return replace(self._whole, samples=join_chunks([*chunks.values()], self._places))

    def _gain_db(self, restored: Waveform) -> float:
        """Return what brings the active level to the input's; 0 if that is next to nothing."""
        gain_db = self.level_db - active_level_db(restored.samples, restored.sample_rate)
        return gain_db if abs(gain_db) >= NEGLIGIBLE_GAIN_DB else 0.0


def _places(waveform: Waveform, model: Restorer) -> list[slice]:
    length, rate = waveform.samples.size, waveform.sample_rate
    if model.chunk_s is None:
        return [slice(0, length)]
    return chunk_places(length, round(model.chunk_s * rate), round(model.overlap_s * rate))


def _longer_s(chunk: Waveform, output: Waveform, given_rate: int) -> float:
    """Return by how much longer an output is than its chunk at the rate at which the model got it.

    As fractions: lengths that are the same at two rates differ by exactly 0.
    """
    given = Fraction(resampled_length(chunk, given_rate), given_rate)
    return float(Fraction(output.samples.size, output.sample_rate) - given)


def _lag(restored: Samples, chunk: Waveform) -> int | None:
    """Return how late a restoration is where its input is loudest, if that is clear."""
    rate = chunk.sample_rate
    heard = find_loudest(chunk, round(LAG_WINDOW_S * rate), round(LAG_HOP_S * rate))
    late, early = (remove_infrasound(side[heard], rate) for side in (restored, chunk.samples))
    return clear_lag_samples(late, early, round(_MAX_LAG_S * rate))


def _match_chunk(chunk: Waveform, output: Waveform) -> Samples:
    """Return the samples of an output at the rate of its input, if it is audio of about that length."""
    tolerance_s = min(LENGTH_TOLERANCE_SHARE * chunk.duration_s, LONGEST_TOLERANCE_S)
    if abs(output.duration_s - chunk.duration_s) > max(tolerance_s, SHORTEST_TOLERANCE_S):
        raise BrokenError(
            Reason.WRONG_SHAPE, f"{output.duration_s:.3f} s came out for {chunk.duration_s:.3f} s"
        )
    if not np.isfinite(output.samples).all():
        raise BrokenError(Reason.NOT_FINITE, "the output holds NaN or infinite samples")
    return resample(output, chunk.sample_rate).samples
