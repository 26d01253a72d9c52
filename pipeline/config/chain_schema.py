"""A chain of degradations as a user writes it: steps, groups of them, and recipes from files."""

from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag

from schemas import Record
from stages.operators.distributions import RelativeWeight
from stages.plan.chain import Order
from stages.plan.conditions import When


class Entry(Record):
    """An operator by its kind; further keys are its parameters."""

    model_config = ConfigDict(extra="allow")
    kind: str

    @property
    def params(self) -> dict[str, Any]:
        """Return what was said beyond the named keys."""
        return dict(self.model_extra or {})


class PartSettings(Record):
    """What an entry says beside its contents, whatever its form."""

    probability: float = Field(default=1.0, ge=0.0, le=1.0)
    when: When | None = Field(default=None, description="utterances that it is for")
    weight: RelativeWeight = Field(
        default=1.0, description="in one_of and some_of: how likely beside the others"
    )


class StepEntry(Entry, PartSettings):
    """A degradation in the chain; parameters are values or distributions."""

    model_config = ConfigDict(extra="allow")


class ChainEntry(PartSettings):
    """Steps that go together; an empty chain does nothing."""

    chain: tuple["PartEntry", ...]
    order: Order = Field(default="given", description="random: in another order for each utterance")


class OneOfEntry(PartSettings):
    """One of several steps or groups."""

    one_of: tuple["PartEntry", ...] = Field(min_length=1)


class Members(Record):
    """What some are chosen from."""

    counts: dict[Annotated[int, Field(ge=0, le=100)], RelativeWeight] = Field(
        min_length=1, description="how many are chosen, and how likely each number is"
    )
    members: tuple["PartEntry", ...] = Field(min_length=1)


class SomeOfEntry(PartSettings):
    """Some of several steps or groups, none of them twice."""

    some_of: Members
    order: Order = Field(default="given", description="random: in another order for each utterance")


class RecipeEntry(PartSettings):
    """The chain of a file: a name of ``configs/recipes``, or a path."""

    recipe: str = Field(min_length=1)


ENTRIES: dict[str, type[PartSettings]] = {
    "one_of": OneOfEntry,
    "some_of": SomeOfEntry,
    "chain": ChainEntry,
    "recipe": RecipeEntry,
}
"""The forms of an entry by the key that only they have; all others are steps."""


def form_of(value: Any) -> str:
    """Return the key that tells which form an entry has."""
    keys = value if isinstance(value, dict) else getattr(type(value), "model_fields", {})
    return "kind" if "kind" in keys else next((key for key in ENTRIES if key in keys), "kind")


PartEntry = Annotated[
    Annotated[StepEntry, Tag("kind")]
    | Annotated[OneOfEntry, Tag("one_of")]
    | Annotated[SomeOfEntry, Tag("some_of")]
    | Annotated[ChainEntry, Tag("chain")]
    | Annotated[RecipeEntry, Tag("recipe")],
    Discriminator(form_of),
]
for entry in (ChainEntry, OneOfEntry, Members, SomeOfEntry):
    entry.model_rebuild()
