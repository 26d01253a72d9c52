"""What a parameter may be: the random half of an operator, as data."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, JsonValue, model_validator

from schemas import AudioRef, ConfigError, Record

Pools = Mapping[str, Sequence[AudioRef]]
"""For each pool, the recordings on the same side of the split as the utterance."""
RelativeWeight = Annotated[float, Field(ge=0.0)]


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


class Integer(_Range):
    """Any whole number from ``low`` to ``high``, both included, all as likely."""

    kind: Literal["integer"] = "integer"
    low: int
    high: int

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return a whole number between the bounds."""
        return int(rng.integers(self.low, self.high, endpoint=True))


class OneOf(Record):
    """One of a few values, all as likely unless ``weights`` say otherwise."""

    kind: Literal["one_of"] = "one_of"
    values: tuple[JsonValue, ...] = Field(min_length=1)
    weights: tuple[RelativeWeight, ...] | None = None

    @model_validator(mode="after")
    def _each_value_has_a_weight(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.values):
            raise ValueError(f"{len(self.values)} values have {len(self.weights)} weights")
        check_weights(self.weights or (1.0,))
        return self

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return one of the values."""
        if self.weights is None:
            return self.values[int(rng.integers(len(self.values)))]
        return self.values[weighted_choice(rng, self.weights)]


class Bucket(_Range):
    """A range, and how likely it is among the others."""

    weight: RelativeWeight


class Buckets(Record):
    """A range chosen by weight, and any value in it, all as likely: a histogram."""

    kind: Literal["buckets"] = "buckets"
    buckets: tuple[Bucket, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _some_bucket_is_likely(self) -> Self:
        check_weights([bucket.weight for bucket in self.buckets])
        return self

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:  # noqa: ARG002
        """Return a number of one of the buckets."""
        bucket = self.buckets[weighted_choice(rng, [bucket.weight for bucket in self.buckets])]
        return rng.uniform(bucket.low, bucket.high)


class FromPool(Record):
    """One recording of a named pool, such as ``noise`` or ``rir``."""

    kind: Literal["from_pool"] = "from_pool"
    pool: str
    other_speaker: bool = False
    """Whether the recording must be of somebody else than the utterance."""

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:
        """Return a reference to the recording."""
        recordings = pools[self.pool]
        return recordings[int(rng.integers(len(recordings)))].model_dump(mode="json")


class SeveralFromPool(_Range):
    """``low`` to ``high`` recordings of a named pool, no two the same; all numbers are as likely."""

    kind: Literal["several_from_pool"] = "several_from_pool"
    pool: str
    low: int = Field(ge=0)
    high: int = Field(ge=0)
    other_speaker: bool = False
    """Whether the recordings must be of others than the utterance's speaker."""

    def draw(self, rng: np.random.Generator, pools: Pools) -> JsonValue:
        """Return references to the recordings; ``ConfigError`` if the pool has fewer than ``low``."""
        recordings = pools[self.pool]
        if len(recordings) < self.low:
            raise ConfigError(
                f"pool {self.pool!r} has {len(recordings)} recordings to choose from on one side of the "
                f"split, and {self.low} are to be drawn"
            )
        count = int(rng.integers(self.low, min(self.high, len(recordings)), endpoint=True))
        chosen = rng.choice(len(recordings), size=count, replace=False)
        return [recordings[int(index)].model_dump(mode="json") for index in chosen]


AnyDistribution = Constant | Uniform | LogUniform | Integer | OneOf | Buckets | FromPool | SeveralFromPool
Distribution = Annotated[AnyDistribution, Field(discriminator="kind")]
PoolDraw = FromPool | SeveralFromPool


def bounds_of(distribution: Distribution) -> tuple[JsonValue, ...]:
    """Return values that the distribution can reach and that span it, to be checked against a field."""
    match distribution:
        case Constant():
            return (distribution.value,)
        case Uniform() | LogUniform() | Integer():
            return (distribution.low, distribution.high)
        case OneOf():
            return distribution.values
        case Buckets():
            return tuple(edge for bucket in distribution.buckets for edge in (bucket.low, bucket.high))
    return ()


def weighted_choice(rng: np.random.Generator, weights: Sequence[float]) -> int:
    """Return a place in ``weights``, each as often as its weight says."""
    reached = np.cumsum(weights)
    return int(np.searchsorted(reached / reached[-1], rng.uniform(), side="right"))


def check_weights(weights: Sequence[float]) -> None:
    """Raise ``ValueError`` if nothing can be chosen by ``weights``."""
    if sum(weights) <= 0.0:
        raise ValueError("at least one weight must be above 0")
