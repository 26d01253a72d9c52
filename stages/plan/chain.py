"""A chain of degradations as data: steps, and groups of steps of which some are chosen.

What is chosen for an utterance is drawn in ``stages.plan.drawing``.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from schemas import Record
from stages.degradations import DEGRADATIONS
from stages.operators.distributions import Constant, Distribution, PoolDraw, RelativeWeight, check_weights
from stages.plan.conditions import Situation, When
from stages.weights.locations import WeightLocations, paths_in, without_paths

Order = Literal["given", "random"]


class Part(Record):
    """One place in the chain: a degradation or a group, which applies with some probability."""

    probability: float = Field(default=1.0, ge=0.0, le=1.0)
    when: When | None = None

    @property
    @abstractmethod
    def described(self) -> dict[str, Any]:
        """All that a drawing of this part depends on: operators, their versions, distributions."""

    @property
    @abstractmethod
    def shares(self) -> Iterator[tuple["Step", float]]:
        """Every step within, and about how often it applies to an utterance that conditions let pass."""

    @property
    def pools(self) -> frozenset[str]:
        """The pools that the steps within may draw from."""
        return frozenset(draw.pool for step, _ in self.shares for draw in step.pool_draws.values())

    def is_for(self, situation: Situation) -> bool:
        """Whether the utterance, with what was drawn for it before this part, meets the condition."""
        return self.when is None or self.when.holds(situation)

    def _describe(self, **own: Any) -> dict[str, Any]:
        condition = {} if self.when is None else {"when": self.when.model_dump(exclude_none=True)}
        return {"probability": self.probability, **condition, **own}


class Step(Part):
    """One degradation."""

    part: Literal["step"] = "step"
    kind: str
    draws: dict[str, Distribution] = {}

    @property
    def distributions(self) -> Mapping[str, Distribution]:
        """How each parameter is drawn: by the config where it says so, by the operator elsewhere."""
        return {**DEGRADATIONS[self.kind].draws, **self.draws}

    @property
    def pool_draws(self) -> Mapping[str, PoolDraw]:
        """The parameters that are recordings of pools."""
        return {name: draw for name, draw in self.distributions.items() if isinstance(draw, PoolDraw)}

    @property
    def shares(self) -> Iterator[tuple["Step", float]]:
        """The step itself, and its probability."""
        yield self, self.probability

    @property
    def described(self) -> dict[str, Any]:
        """Kind, version of its code, distributions; a pinned file by its digest, wherever it lies."""
        draws = {name: d.model_dump(mode="json") for name, d in sorted(self.distributions.items())}
        version = DEGRADATIONS[self.kind].version
        return self._describe(kind=self.kind, version=version, draws=without_paths(draws))


class Chain(Part):
    """Parts that apply one after the other, each as it may."""

    part: Literal["chain"] = "chain"
    parts: tuple["AnyPart", ...]
    order: Order = "given"

    @property
    def shares(self) -> Iterator[tuple[Step, float]]:
        """The steps of all parts."""
        return _scale_steps(self.parts, [self.probability] * len(self.parts))

    @property
    def described(self) -> dict[str, Any]:
        """The parts and their order."""
        return self._describe(chain=[part.described for part in self.parts], order=self.order)


class Branch(Record):
    """A member of a group, and how likely it is among the others."""

    weight: RelativeWeight = 1.0
    part: "AnyPart"

    @property
    def described(self) -> dict[str, Any]:
        """The part and its weight."""
        return {"weight": self.weight, "part": self.part.described}


class OneOfParts(Part):
    """One of several branches, chosen by weight from those that are for the utterance."""

    part: Literal["one_of"] = "one_of"
    branches: tuple[Branch, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _some_branch_is_likely(self) -> Self:
        check_weights([branch.weight for branch in self.branches])
        return self

    @property
    def shares(self) -> Iterator[tuple[Step, float]]:
        """The steps of all branches."""
        total = sum(branch.weight for branch in self.branches)
        factors = [self.probability * branch.weight / total for branch in self.branches]
        return _scale_steps([branch.part for branch in self.branches], factors)

    @property
    def described(self) -> dict[str, Any]:
        """The branches."""
        return self._describe(one_of=[branch.described for branch in self.branches])


class SomeOfParts(Part):
    """Some of several members, no one twice: how many by ``counts``, which ones by their weights."""

    part: Literal["some_of"] = "some_of"
    counts: tuple[RelativeWeight, ...]
    """The weight of none, of one, of two … members."""
    members: tuple[Branch, ...] = Field(min_length=1)
    order: Order = "given"

    @model_validator(mode="after")
    def _has_enough_members(self) -> Self:
        check_weights(self.counts)
        most = max(number for number, weight in enumerate(self.counts) if weight > 0.0)
        possible = sum(member.weight > 0.0 for member in self.members)
        if most > possible:
            raise ValueError(f"{most} of {possible} members cannot be chosen")
        return self

    @property
    def shares(self) -> Iterator[tuple[Step, float]]:
        """The steps of all members."""
        mean = sum(number * weight for number, weight in enumerate(self.counts)) / sum(self.counts)
        total = sum(member.weight for member in self.members)
        factors = [self.probability * min(1.0, mean * member.weight / total) for member in self.members]
        return _scale_steps([member.part for member in self.members], factors)

    @property
    def described(self) -> dict[str, Any]:
        """The members, their numbers and their order."""
        members = [member.described for member in self.members]
        return self._describe(counts=list(self.counts), some_of=members, order=self.order)


AnyPart = Annotated[Step | Chain | OneOfParts | SomeOfParts, Field(discriminator="part")]
for model in (Chain, Branch, OneOfParts, SomeOfParts):
    model.model_rebuild()


def steps_in(chain: Sequence[Part]) -> tuple[Step, ...]:
    """Return every step of the chain, however deep, in the order of the config."""
    return tuple(step for part in chain for step, _ in part.shares)


def places_of(chain: Sequence[Part]) -> WeightLocations:
    """Return where the weights are that the steps of a chain name by path."""
    return {digest: path for step in steps_in(chain) for digest, path in paths_in(_settings(step))}


def _settings(step: Step) -> dict[str, Any]:
    return {
        name: draw.value if isinstance(draw, Constant) else draw.model_dump(mode="json")
        for name, draw in step.draws.items()
    }


def _scale_steps(parts: Sequence[Part], factors: Sequence[float]) -> Iterator[tuple[Step, float]]:
    for part, factor in zip(parts, factors, strict=True):
        for step, share in part.shares:
            yield step, factor * share
