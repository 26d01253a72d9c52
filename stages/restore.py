"""Restoring: several takes of one model, put back where the input was in time and level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from schemas import (
    BrokenError,
    Degraded,
    EncodedAudio,
    Outcome,
    Params,
    Reason,
    Restored,
    Status,
    Take,
    UnfitError,
)
from stages.active_level import active_level_db
from stages.alignment import align, lag_samples
from stages.attempt import attempt
from stages.audio_memory import AudioMemory
from stages.distributions import Distribution
from stages.flac import encode
from stages.level import from_db, is_silent
from stages.resampling import resample
from stages.restorers.base import Restorer
from stages.rng import rng_for
from stages.stage import Stage
from stages.waveform import Waveform

VERSION = 1
"""Rises when the same records and settings would give other rows."""

MAX_LAG_S = 0.25
NEGLIGIBLE_GAIN_DB = 0.01
LENGTH_TOLERANCE_SHARE = 0.1
LONGEST_TOLERANCE_S = 0.5
SHORTEST_TOLERANCE_S = 0.1
"""Models work in frames of up to 64 ms, however short the input is."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A restoration at the input's rate, length, place and level, and what that took."""

    audio: EncodedAudio
    lag_samples: int
    level_gain_db: float


class RestoreStage(Stage[Degraded, Restored]):
    """One model, applied ``num_takes`` times to each degraded utterance.

    Takes of a model that samples differ by their stream; others by settings that are drawn, for every
    take if ``draws`` says how, else for those after the first by the model's own ``draws``.
    """

    def __init__(
        self,
        name: str,
        restorer: Restorer,
        *,
        num_takes: int,
        draws: Mapping[str, Distribution],
        seed: int,
        memory: AudioMemory,
    ) -> None:
        self.name = name
        self.restorer = restorer
        self.num_takes = num_takes
        self.draws = draws
        self.seed = seed
        self.memory = memory

    def load(self, device: str) -> None:
        """Load the model."""
        self.restorer.load(device)

    def name_of(self, record: Degraded) -> str:
        """Return the id of the degraded utterance."""
        return record.id

    def process(self, batch: Sequence[Degraded]) -> Sequence[Restored]:
        """Return all takes of each record; what a take raises is the reason in its place."""
        return [self._restored(record) for record in batch]

    def without_value(self, record: Degraded, outcome: Outcome) -> Restored:
        """Return a row whose takes all ended with ``outcome``."""
        takes = tuple(
            Take(**_fields(outcome), take=take, settings=self._settings(record, take))
            for take in range(self.num_takes)
        )
        return Restored(**_fields(outcome), id=record.id, model=self.name, takes=takes)

    def _restored(self, record: Degraded) -> Restored:
        if not record.is_ok or record.degraded is None:
            skipped = Outcome(status=Status.SKIPPED, reason=Reason.NO_VALUE_UPSTREAM)
            return Restored(**_fields(skipped), id=record.id, model=self.name)
        takes: list[Take] = []
        for take in range(self.num_takes):
            takes.append(_unless_heard(self._take(record, record.degraded, take), takes))
        return Restored(**_fields(_summary(takes)), id=record.id, model=self.name, takes=tuple(takes))

    def _take(self, record: Degraded, degraded: EncodedAudio, take: int) -> Take:
        settings = self._settings(record, take)
        stream = rng_for(self.seed, "take", self.name, record.id, take)
        made = attempt(
            f"{self.name} {record.id} take {take}", partial(self._placed, degraded, settings, stream)
        )
        if made.value is None:
            return Take(**_fields(made.outcome), take=take, settings=settings)
        placed = made.value
        return Take(
            take=take,
            settings=settings,
            audio=placed.audio,
            lag_samples=placed.lag_samples,
            level_gain_db=placed.level_gain_db,
        )

    def _settings(self, record: Degraded, take: int) -> Params:
        draws = self.draws
        if not draws and take > 0 and not self.restorer.sampling:
            draws = self.restorer.draws
        rng = rng_for(self.seed, "settings", self.name, record.id, take)
        return {field: draws[field].draw(rng, {}) for field in sorted(draws)}

    def _placed(self, degraded: EncodedAudio, settings: Params, stream: np.random.Generator) -> _Placed:
        heard = self.memory.waveform(degraded)
        if is_silent(heard.samples):
            raise UnfitError(Reason.SILENT, "nothing to restore: under −120 dBFS")
        given = self.memory.waveform(degraded, self.restorer.sample_rate)
        outputs = self.restorer.with_settings(settings).restore((given,), (stream,))
        restored = resample(_checked(outputs, given), heard.sample_rate)
        lag = lag_samples(restored.samples, heard.samples, round(MAX_LAG_S * heard.sample_rate))
        aligned = heard.with_samples(align(restored.samples, lag, heard.samples.size))
        if is_silent(aligned.samples):
            raise BrokenError(Reason.SILENT, "the output is under −120 dBFS")
        gain_db = 0.0 if self.restorer.restores_level else _gain_db(aligned, heard)
        levelled = aligned.scaled(from_db(gain_db)) if gain_db else aligned
        return _Placed(encode(levelled), lag, gain_db)


def _checked(outputs: Sequence[Waveform], given: Waveform) -> Waveform:
    """Return the one output, if it is audio of about the length that was given."""
    if len(outputs) != 1:
        raise BrokenError(Reason.WRONG_SHAPE, f"{len(outputs)} outputs for one input")
    output = outputs[0]
    tolerance_s = min(LENGTH_TOLERANCE_SHARE * given.duration_s, LONGEST_TOLERANCE_S)
    if abs(output.duration_s - given.duration_s) > max(tolerance_s, SHORTEST_TOLERANCE_S):
        raise BrokenError(
            Reason.WRONG_SHAPE, f"{output.duration_s:.3f} s came out for {given.duration_s:.3f} s"
        )
    if not np.isfinite(output.samples).all():
        raise BrokenError(Reason.NOT_FINITE, "the output holds NaN or infinite samples")
    return output


def _gain_db(restored: Waveform, heard: Waveform) -> float:
    """Return what brings the active level to the input's; 0 if that is next to nothing."""
    wanted, found = (active_level_db(each.samples, each.sample_rate) for each in (heard, restored))
    gain_db = wanted - found
    return gain_db if abs(gain_db) >= NEGLIGIBLE_GAIN_DB else 0.0


def _unless_heard(take: Take, earlier: Sequence[Take]) -> Take:
    """Return ``take``, or that it is no candidate of its own: an earlier one has the same samples."""
    for other in earlier:
        if take.audio and other.audio and take.audio.digest == other.audio.digest:
            return Take(
                status=Status.SKIPPED,
                reason=Reason.DUPLICATE_TAKE,
                detail=f"same audio as take {other.take}",
                take=take.take,
                settings=take.settings,
            )
    return take


def _summary(takes: Sequence[Take]) -> Outcome:
    """Return how a row of these takes ended: as well as its best take."""
    for status in (Status.OK, Status.FAILED, Status.UNFIT):
        for take in takes:
            if take.status is status:
                return Outcome(**_fields(take))
    raise ValueError("a row needs at least one take")


def _fields(outcome: Outcome) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in Outcome.model_fields}
