"""Drawing: which steps of a chain a degraded utterance gets, and with which parameters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schemas import AudioRef, ConfigError, OperatorSpec, Split
from stages.degradations import DEGRADATIONS
from stages.operators.distributions import Pools, weighted_choice
from stages.operators.rng import rng_for
from stages.plan.chain import AnyPart, Branch, Chain, OneOfParts, Part, SomeOfParts, Step
from stages.plan.conditions import Situation, Utterance
from stages.weights.locations import without_paths


@dataclass(frozen=True, slots=True)
class Occasion:
    """The degraded utterance that a recipe is for, and what there is to draw from."""

    utterance: Utterance
    repeat: int
    seed: int
    pools: Pools
    side: Split = Split.TRAIN
    """Of the split: the one that the utterance and all recordings of the pools are on."""

    def rng(self, path: Sequence[int]) -> np.random.Generator:
        """Return the stream of one place in the chain: what others draw does not move it."""
        return rng_for(self.seed, "degrade", self.utterance.id, self.repeat, *path)


def draw_steps(chain: Sequence[Part], occasion: Occasion) -> tuple[OperatorSpec, ...]:
    """Decide which steps apply, in which order and with which parameters.

    Raises ``ConfigError`` when a pool that a step needs has nothing on this side of the split.
    """
    return _draw_parts(enumerate(chain), occasion, (), ())


def references_in(steps: Sequence[OperatorSpec]) -> tuple[AudioRef, ...]:
    """Return the pool recordings that the steps refer to, in order."""
    return tuple(
        AudioRef.model_validate(value)
        for step in steps
        for parameter in step.params.values()
        for value in (parameter if isinstance(parameter, list) else [parameter])
        if isinstance(value, dict) and _NEEDED <= value.keys() <= AudioRef.model_fields.keys()
    )


_NEEDED = {name for name, field in AudioRef.model_fields.items() if field.is_required()}


def _draw_parts(
    parts: Iterable[tuple[int, Part]],
    occasion: Occasion,
    around: tuple[int, ...],
    before: tuple[OperatorSpec, ...],
) -> tuple[OperatorSpec, ...]:
    """Return ``before``, and after it the steps of those parts that apply; ``around`` is their place."""
    steps = before
    for place, part in parts:
        path = (*around, place)
        rng = occasion.rng(path)
        situation = Situation(occasion.utterance, [step.kind for step in steps])
        if rng.uniform() >= part.probability or not part.is_for(situation):
            continue
        if isinstance(part, Step):
            steps += (_draw_operator(part, occasion, rng),)
        else:
            steps = _draw_parts(_choose_members(part, situation, rng), occasion, path, steps)
    return steps


def _draw_operator(step: Step, occasion: Occasion, rng: np.random.Generator) -> OperatorSpec:
    pools = _usable_pools_of(step, occasion)
    drawn = DEGRADATIONS[step.kind].drawn(rng, pools, step.draws).spec
    return drawn.model_copy(update={"params": without_paths(drawn.params)})


def _choose_members(part: Part, situation: Situation, rng: np.random.Generator) -> list[tuple[int, AnyPart]]:
    """Return the members of a group that apply, each with its place in the group, in their order."""
    match part:
        case Chain():
            return _order_members(list(enumerate(part.parts)), part.order, rng)
        case OneOfParts():
            weights = _weights(part.branches, situation)
            if not any(weights):
                return []
            place = weighted_choice(rng, weights)
            return [(place, part.branches[place].part)]
        case SomeOfParts():
            chosen = _choose_some(part, situation, rng)
            return _order_members([(place, part.members[place].part) for place in chosen], part.order, rng)
    raise AssertionError(f"{type(part).__name__} is no group")


def _choose_some(part: SomeOfParts, situation: Situation, rng: np.random.Generator) -> list[int]:
    weights = np.array(_weights(part.members, situation))
    number = min(weighted_choice(rng, part.counts), int(np.count_nonzero(weights)))
    if number == 0:
        return []
    chosen = rng.choice(weights.size, size=number, replace=False, p=weights / weights.sum())
    return sorted(int(place) for place in chosen)


def _weights(branches: Sequence[Branch], situation: Situation) -> list[float]:
    return [branch.weight if branch.part.is_for(situation) else 0.0 for branch in branches]


def _order_members(
    members: list[tuple[int, AnyPart]], order: str, rng: np.random.Generator
) -> list[tuple[int, AnyPart]]:
    return members if order == "given" else [members[place] for place in rng.permutation(len(members))]


def _usable_pools_of(step: Step, occasion: Occasion) -> Pools:
    """Return the pools as the step may use them: without the utterance's speaker where it says so."""
    usable: Mapping[str, Sequence[AudioRef]] = occasion.pools
    name, side = occasion.utterance.id, occasion.side
    for draw in step.pool_draws.values():
        if not usable.get(draw.pool):
            raise ConfigError(
                f"pool {draw.pool!r} has no usable recording on the {side} side of the split, on which "
                f"{name!r} is; add recordings, or give that side no share in 'ingest.splits'"
            )
        if draw.other_speaker:
            others = [ref for ref in usable[draw.pool] if _is_another(ref, occasion.utterance)]
            usable = {**usable, draw.pool: others}
        if not usable[draw.pool]:
            raise ConfigError(
                f"pool {draw.pool!r} has nobody else than the speaker of {name!r} on the {side} side of the "
                "split, on which that is; add recordings of others"
            )
    return usable


def _is_another(ref: AudioRef, utterance: Utterance) -> bool:
    """Whether somebody else speaks in the recording; of unknown speakers only the same recording is one."""
    if ref.speaker is not None and utterance.speaker is not None:
        return ref.speaker != utterance.speaker
    return ref.id not in {utterance.id, utterance.source_id} and ref.digest != utterance.digest
