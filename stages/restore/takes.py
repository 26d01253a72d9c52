"""A take in the making: what is asked of the model for it, and what becomes of the results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas import EncodedAudio, Outcome, Params, Reason, Status, Take
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.operators.restorer import Restorer
from stages.restore.calls import ModelRequest
from stages.restore.fitting import ModelInput
from stages.runtime.attempt import Attempt, attempt

SAME_AS_CLEAN = Outcome(
    status=Status.UNFIT, reason=Reason.SAME_AS_CLEAN, detail="every sample is that of the clean reference"
)


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """One take before the model was asked."""

    name: str
    """What it is called in the log."""
    take: int
    settings: Params
    model_input: Attempt[ModelInput]
    model: Attempt[Restorer]
    """Under the settings of this take."""
    requests: Sequence[ModelRequest] = ()

    def finish(self, results: Sequence[Attempt[Waveform]]) -> Take:
        """Return the take that ``results`` make, one for each request, or the first reason why not."""
        needed: Sequence[Attempt[Any]] = (self.model_input, self.model, *results)
        for each in needed:
            if each.value is None:
                return Take(**each.outcome.fields, take=self.take, settings=self.settings)
        made = attempt(self.name, lambda: self._fit([result.value for result in results if result.value]))
        if made.value is None:
            return Take(**made.outcome.fields, take=self.take, settings=self.settings)
        notes = [result.outcome.detail for result in results if result.outcome.detail]
        return made.value.model_copy(update={"detail": notes[0]}) if notes else made.value

    def _fit(self, outputs: Sequence[Waveform]) -> Take:
        assert self.model_input.value is not None
        assert self.model.value is not None
        placed = self.model_input.value.fit(outputs, restores_level=self.model.value.restores_level)
        return Take(
            take=self.take,
            settings=self.settings,
            audio=encode_flac(placed.waveform),
            lag_samples=placed.lag_samples,
            length_change_s=placed.length_change_s,
            level_gain_db=placed.level_gain_db,
            confidence=placed.confidence,
        )


def without_clean(takes: Sequence[Take], clean: EncodedAudio | None) -> list[Take]:
    """Return ``takes``, those without their audio that have every sample of the clean reference.

    They are no restoration: the reference itself would be chosen, under the name of a model.
    """
    return [_without_audio(take, SAME_AS_CLEAN) if _are_equal(take.audio, clean) else take for take in takes]


def without_duplicates(takes: Sequence[Take]) -> list[Take]:
    """Return ``takes`` without those that have the samples of an earlier one: these say whose."""
    kept: list[Take] = []
    for take in takes:
        kept.append(_unless_duplicate(take, kept))
    return kept


def outcome_of(takes: Sequence[Take]) -> Outcome:
    """Return how a row of these takes ended: ``ok`` if any is, else as the gravest: failed, then unfit."""
    for status in (Status.OK, Status.FAILED, Status.UNFIT):
        for take in takes:
            if take.status is status:
                return Outcome(**take.fields)
    raise ValueError("a row needs at least one take")


def _unless_duplicate(take: Take, earlier: Sequence[Take]) -> Take:
    for other in earlier:
        if _are_equal(take.audio, other.audio):
            repeated = f"same audio as take {other.take}"
            return _without_audio(
                take, Outcome(status=Status.SKIPPED, reason=Reason.DUPLICATE_TAKE, detail=repeated)
            )
    return take


def _without_audio(take: Take, outcome: Outcome) -> Take:
    return Take(**outcome.fields, take=take.take, settings=take.settings)


def _are_equal(audio: EncodedAudio | None, other: EncodedAudio | None) -> bool:
    return audio is not None and other is not None and audio.digest == other.digest
