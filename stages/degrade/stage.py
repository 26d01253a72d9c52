"""Degrading: a recipe carried out, step by step, on the clean utterance that it is for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from schemas import (
    AppliedStep,
    BrokenError,
    Degraded,
    EncodedAudio,
    Fact,
    OperatorSpec,
    Outcome,
    Reason,
    Recipe,
    Status,
    UnfitError,
)
from stages.audio.audible import audible_rms, is_inaudible
from stages.audio.cache import AudioCache
from stages.audio.flac import FLAC_CEILING, encode_flac
from stages.audio.lag import residual_lag_samples
from stages.audio.level import energy, exceeds, peak, to_db
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations import DEGRADATIONS
from stages.operators.degradation import Scene
from stages.stage import Stage
from stages.weights.locations import WeightLocations, with_paths

VERSION = 8
"""Rises when the same records and settings would give other rows."""

LevelRule = Literal["guard", "joint_peak"]

_ROUNDING = 1e-9
"""−90 dB of the speech: resamplers leave −100 dB of speech that holds nothing for them to take."""


@dataclass(frozen=True, slots=True)
class DegradeInput:
    """A recipe, and the clean utterance that it is for; none if there is no recipe either."""

    recipe: Recipe
    clean: EncodedAudio | None


class DegradeStage(Stage[DegradeInput, Degraded]):
    """Applies each recipe's steps in order, and stores the outcome with the reference it is judged by.

    ``level`` says how both sides are levelled, always by one common gain. ``guard``: only if one of
    them exceeds 1, just to 1. ``joint_peak``: always, so that the loudest of the degraded speech, the
    reference and the noises that were added reaches 1 (AATC 2025, step 5). ``locations`` say where weights
    are that recipes know by digest and the cache has not.
    """

    def __init__(
        self,
        sources: AudioSource,
        cache: AudioCache,
        level: LevelRule = "guard",
        locations: WeightLocations | None = None,
    ) -> None:
        self._sources = sources
        self._cache = cache
        self._level = level
        self._locations = locations or {}

    def name_of(self, record: DegradeInput) -> str:
        """Return the recipe's id."""
        return record.recipe.id

    def process(self, batch: Sequence[DegradeInput]) -> Sequence[Degraded]:
        """Return one row per recipe; those without a value stay without one."""
        return [self._degrade(record) for record in batch]

    def without_value(self, record: DegradeInput, outcome: Outcome) -> Degraded:
        """Return the row of a recipe that came to nothing."""
        return Degraded(id=record.recipe.id, **outcome.fields)

    def _degrade(self, record: DegradeInput) -> Degraded:
        if not record.recipe.is_ok or record.clean is None:
            return self.without_value(record, Outcome(status=Status.SKIPPED, reason=Reason.NO_VALUE_UPSTREAM))
        clean = self._cache.waveform(record.clean, record.recipe.sample_rate)
        scene, applied = self.damage(clean, record.recipe.steps)
        gain = self._joint_gain(scene, applied)
        degraded = encode_flac(_scale(scene.degraded, gain))
        reference = _encode_reference(scene, gain, clean, record.clean)
        if degraded.digest == reference.digest:
            raise UnfitError(Reason.UNDAMAGED, "no drawn step changed a sample: there is nothing to restore")
        return Degraded(
            id=record.recipe.id,
            degraded=degraded,
            clean=reference,
            joint_gain_db=0.0 if gain == 1.0 else to_db(gain),
            residual_lag_samples=residual_lag_samples(scene.degraded, scene.reference),
            applied=applied,
        )

    def damage(self, clean: Waveform, steps: Sequence[OperatorSpec]) -> tuple[Scene, tuple[AppliedStep, ...]]:
        """Return what ``steps`` leave of ``clean``, before both sides are levelled, and what each did.

        Raises ``UnfitError`` if a side is silent then, ``BrokenError`` for a step that did what none may do.
        """
        scene, applied = self._apply(Scene(clean, clean), steps)
        for name, waveform in (("degraded speech", scene.degraded), ("reference", scene.reference)):
            if is_inaudible(waveform.samples, waveform.sample_rate):
                raise UnfitError(Reason.SILENT, f"the {name} is silent")
        return scene, applied

    def _apply(self, scene: Scene, steps: Sequence[OperatorSpec]) -> tuple[Scene, tuple[AppliedStep, ...]]:
        applied = []
        after, level_db = (energy(scene.degraded.samples), _level_db(scene)) if steps else (0.0, 0.0)
        for step in steps:
            operator = DEGRADATIONS.build(with_paths(step, self._locations))
            old, scene = scene, operator.damage(scene, self._sources)
            before, after = after, _require_energy(step.kind, old, scene)
            level_before_db, level_db = level_db, _level_db(scene)
            facts = {
                **scene.facts,
                "level_change_db": level_db - level_before_db,
                "applied": float(_has_acted(old, scene, before)),
            }
            applied.append(AppliedStep(kind=step.kind, facts=_plain_numbers_of(step.kind, facts)))
        return scene, tuple(applied)

    def _joint_gain(self, scene: Scene, applied: Sequence[AppliedStep]) -> float:
        loudest = max(peak(scene.degraded.samples), peak(scene.reference.samples))
        if self._level == "joint_peak":
            return FLAC_CEILING / max(loudest, *(step.number("noise_peak") or 0.0 for step in applied), 0.0)
        return FLAC_CEILING / loudest if loudest > 1.0 else 1.0


def _level_db(scene: Scene) -> float:
    """Return the level of what can be heard of the degraded speech."""
    return to_db(audible_rms(scene.degraded.samples, scene.degraded.sample_rate))


def _require_energy(kind: str, before: Scene, after: Scene) -> float:
    """Return the energy of the degraded speech; ``BrokenError`` if a step did what no degradation may do."""
    _check_shape(kind, "degraded speech", before.degraded, after.degraded)
    degraded = _finite_energy(kind, "degraded speech", after.degraded)
    if after.reference is not before.reference:
        _check_shape(kind, "reference", before.reference, after.reference)
        _finite_energy(kind, "reference", after.reference)
    return degraded


def _check_shape(kind: str, name: str, old: Waveform, new: Waveform) -> None:
    if new.samples.size != old.samples.size or new.sample_rate != old.sample_rate:
        raise BrokenError(
            Reason.WRONG_SHAPE,
            f"{kind} turned the {name} of {old.samples.size} samples at {old.sample_rate} Hz "
            f"into {new.samples.size} at {new.sample_rate} Hz",
        )


def _finite_energy(kind: str, name: str, waveform: Waveform) -> float:
    """Return the energy, which a single sample that is not finite would make so."""
    total = energy(waveform.samples)
    if not math.isfinite(total):
        raise BrokenError(Reason.NOT_FINITE, f"{kind} left the {name} with NaN or infinite samples")
    return total


def _has_acted(before: Scene, after: Scene, energy_before: float) -> bool:
    """Whether the step changed the speech beyond rounding; one that says that it could not is believed.

    Every sample counts, since rounding follows what is there and not what is heard of it.
    """
    if after.facts.get("applied", 1.0) == 0.0:
        return False
    return exceeds(after.degraded.samples - before.degraded.samples, _ROUNDING * energy_before)


def _plain_numbers_of(kind: str, facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return what was measured as plain numbers."""
    for name, value in facts.items():
        if not np.isfinite(value).all():
            raise BrokenError(Reason.NOT_FINITE, f"{kind} measured {name} as {value}")
    return {
        name: tuple(map(float, value)) if isinstance(value, tuple) else float(value)
        for name, value in facts.items()
    }


def _encode_reference(scene: Scene, gain: float, clean: Waveform, audio: EncodedAudio) -> EncodedAudio:
    """Return the reference encoded: as ``clean`` is already, if nothing was done to it."""
    if scene.reference is clean and gain == 1.0 and audio.sample_rate == clean.sample_rate:
        return audio.model_copy(update={"gain_db": 0.0})
    return encode_flac(_scale(scene.reference, gain))


def _scale(waveform: Waveform, gain: float) -> Waveform:
    return waveform if gain == 1.0 else waveform.scale(gain)
