"""What a parameter may be: the random half of an operator, as data.

In a config a distribution is a mapping with one key: ``{uniform: [-5, 20]}``, ``{log_uniform:
[50, 8000]}``, ``{integer: [1, 9]}``, ``{one_of: [mp3, opus]}``, ``{from_pool: noise}``. Anything else is
a constant.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, JsonValue, model_validator

from schemas import AudioRef, Record

Pools = Mapping[str, Sequence[AudioRef]]
"""For each pool, the recordings on the same side of the split as the utterance."""


class Constant(Record):
    """Always the same value."""

    kind: Literal["constant"] = "constant"
    value: JsonValue

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return the value."""
        return self.value


class _Range(Record):
    low: float
    high: float

    @model_validator(mode="after")
    def _low_is_not_above_high(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"the lower bound {self.low} is above the upper bound {self.high}")
        return self


class Uniform(_Range):
    """Any value from ``low`` to ``high``, all as likely."""

    kind: Literal["uniform"] = "uniform"

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return a number between the bounds."""
        return rng.uniform(self.low, self.high)


class LogUniform(_Range):
    """Any value from ``low`` to ``high``, all ratios as likely: for frequencies and times."""

    kind: Literal["log_uniform"] = "log_uniform"
    low: float = Field(gt=0)
    high: float = Field(gt=0)

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return a positive number between the bounds."""
        return math.exp(rng.uniform(math.log(self.low), math.log(self.high)))


class Integer(Record):
    """Any whole number from ``low`` to ``high``, both included, all as likely."""

    kind: Literal["integer"] = "integer"
    low: int
    high: int

    @model_validator(mode="after")
    def _low_is_not_above_high(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"the lower bound {self.low} is above the upper bound {self.high}")
        return self

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return a whole number between the bounds."""
        return int(rng.integers(self.low, self.high, endpoint=True))


class OneOf(Record):
    """One of a few values, all as likely."""

    kind: Literal["one_of"] = "one_of"
    values: tuple[JsonValue, ...] = Field(min_length=1)

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return one of the values."""
        return self.values[int(rng.integers(len(self.values)))]


class FromPool(Record):
    """One recording of a named pool, such as ``noise`` or ``rir``."""

    kind: Literal["from_pool"] = "from_pool"
    pool: str

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:
        """Return a reference to the recording."""
        recordings = pools[self.pool]
        return recordings[int(rng.integers(len(recordings)))].model_dump(mode="json")


Distribution = Annotated[
    Constant | Uniform | LogUniform | Integer | OneOf | FromPool, Field(discriminator="kind")
]


AnyDistribution = Constant | Uniform | LogUniform | Integer | OneOf | FromPool
RANGES: Mapping[str, type[Uniform] | type[LogUniform] | type[Integer]] = {
    "uniform": Uniform,
    "log_uniform": LogUniform,
    "integer": Integer,
}


def distribution_of(value: Any) -> AnyDistribution:
    """Return the distribution that a config's short form means.

    Raises ``ValueError`` for a known form with impossible contents.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        return Constant(value=value)
    ((form, content),) = value.items()
    if form == "from_pool":
        return FromPool(pool=content)
    if form in RANGES:
        low, high = _listed(form, content, "[low, high]", 2)
        return RANGES[form](low=low, high=high)
    if form == "one_of":
        return OneOf(values=tuple(_listed(form, content, "a list of values")))
    return Constant(value=value)


def _listed(form: str, content: Any, expected: str, length: int | None = None) -> Sequence[Any]:
    if not isinstance(content, Sequence) or isinstance(content, str) or length not in {None, len(content)}:
        raise ValueError(f"{form} takes {expected}, got {content!r}")
    return content


def bounds_of(distribution: Distribution) -> tuple[JsonValue, ...]:
    """Return values that the distribution can reach and that span it, to be checked against a field."""
    match distribution:
        case Constant():
            return (distribution.value,)
        case Uniform() | LogUniform() | Integer():
            return (distribution.low, distribution.high)
        case OneOf():
            return distribution.values
    return ()
