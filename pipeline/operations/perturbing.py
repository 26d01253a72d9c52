"""One recording, damaged: what the chosen side of a pair becomes, and whether a panel hears it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.dataset.published import DatasetRow
from schemas import AppliedStep, OperatorSpec, Reason, Score, UnfitError
from stages.audio.cache import AudioCache
from stages.audio.flac import decode_flac_bytes
from stages.audio.level import from_db
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeStage
from stages.operators.rng import rng_for
from stages.plan.chain import Part, places_of
from stages.plan.conditions import Utterance
from stages.plan.drawing import Occasion, draw_steps
from stages.prefer.criteria import Criterion


@dataclass(frozen=True, slots=True)
class Damaged:
    """A chosen side, what has become of it, and by what."""

    chosen: Waveform
    rejected: Waveform
    gain_db: float
    """What brought it back to the active level of the chosen side: loudness is not to tell them apart."""
    steps: tuple[tuple[OperatorSpec, AppliedStep], ...]


class _PerturbOccasion(Occasion):
    """A drawing whose streams are those of no degraded utterance."""

    def rng(self, path: Sequence[int]) -> np.random.Generator:
        """Return the stream of one place in the chain."""
        return rng_for(self.seed, "perturb", self.utterance.id, self.repeat, *path)


class Perturber:
    """Damages recordings by a chain, each by what its name and the seed draw, whatever else is damaged."""

    def __init__(self, chain: Sequence[Part], seed: int) -> None:
        self._chain, self._seed = chain, seed
        self._stage = DegradeStage(MemoryAudioSource(), AudioCache(), locations=places_of(chain))

    def damage(self, row: DatasetRow) -> Damaged:
        """Return the chosen side of a pair, damaged.

        Raises ``UnfitError`` if nothing drawn changes it, or leaves it silent or elsewhere in time.
        """
        chosen = decode_flac_bytes(row["chosen"]["bytes"])
        name = f"{row['degraded_id']}/{row['chosen_model']}/{row['chosen_take']}"
        utterance = Utterance(
            id=name,
            source_id=row["source_id"],
            speaker=row["speaker"],
            digest=row["chosen_digest"],
            sample_rate=chosen.sample_rate,
            duration_s=chosen.duration_s,
            bandwidth_hz=row["bandwidth_hz"],
        )
        steps = draw_steps(self._chain, _PerturbOccasion(utterance, 0, self._seed, {}))
        scene, applied = self._stage.damage(chosen, steps)
        if scene.reference is not chosen:
            raise UnfitError(Reason.WRONG_SHAPE, "the damage moves what it is to be judged by")
        if not any(step.is_applied for step in applied):
            raise UnfitError(Reason.UNDAMAGED, "no drawn step changed it")
        gain_db = _level_db(chosen) - _level_db(scene.degraded)
        levelled = scene.degraded.scale(from_db(gain_db))
        return Damaged(chosen, levelled, gain_db, tuple(zip(steps, applied, strict=True)))


def _level_db(waveform: Waveform) -> float:
    return active_level_db(waveform.samples, waveform.sample_rate)


def objection_to(
    criteria: Sequence[Criterion], chosen: Mapping[str, Score], rejected: Mapping[str, Score]
) -> str | None:
    """Return which vote does not find the damaged side worse, and how; None if all do."""
    for criterion in criteria:
        sides = [scores[criterion.metric] for scores in (chosen, rejected)]
        values = [score.value for score in sides]
        if values[0] is None or values[1] is None:
            lacking = sides[0] if values[0] is None else sides[1]
            return f"{criterion.metric} has no value: {lacking.reason}"
        advantage = criterion.advantage(values[0], values[1])
        if advantage < -criterion.margin:
            return f"{criterion.metric} prefers the damaged side"
        if advantage <= criterion.margin:
            return f"{criterion.metric} does not hear the damage"
    return None
