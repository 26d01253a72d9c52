"""A chain of degradations as the config describes it, and how a recipe is drawn from it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from schemas import AudioRef, ConfigError, OperatorSpec, Record
from stages.degradations import DEGRADATIONS
from stages.distributions import Distribution, PoolDraw, Pools
from stages.rng import rng_for


class Step(Record):
    """One place in the chain: a degradation that is applied with some probability."""

    kind: str
    probability: float = Field(default=1.0, ge=0.0, le=1.0)
    draws: dict[str, Distribution] = {}

    @property
    def distributions(self) -> Mapping[str, Distribution]:
        """How each parameter is drawn: by the config where it says so, by the operator elsewhere."""
        return {**DEGRADATIONS[self.kind].draws, **self.draws}

    @property
    def pools(self) -> frozenset[str]:
        """The pools that this step may draw from."""
        return frozenset(d.pool for d in self.distributions.values() if isinstance(d, PoolDraw))

    @property
    def described(self) -> dict[str, Any]:
        """Return all that a drawn step depends on: operator, version of its code, distributions."""
        return {
            "kind": self.kind,
            "version": DEGRADATIONS[self.kind].version,
            "probability": self.probability,
            "draws": {name: d.model_dump(mode="json") for name, d in sorted(self.distributions.items())},
        }


def draw_steps(chain: Sequence[Step], pools: Pools, seed: int, *path: str | int) -> tuple[OperatorSpec, ...]:
    """Decide which steps apply and with which parameters; each place has a stream of its own.

    Raises ``ConfigError`` when a pool that a step needs has nothing on this side of the split.
    """
    return tuple(_draw(chain, pools, seed, path))


def _draw(
    chain: Sequence[Step], pools: Pools, seed: int, path: Sequence[str | int]
) -> Iterator[OperatorSpec]:
    for place, step in enumerate(chain):
        rng = rng_for(seed, "degrade", *path, place)
        if rng.uniform() >= step.probability:
            continue
        for pool in sorted(step.pools):
            if not pools.get(pool):
                raise ConfigError(
                    f"pool {pool!r} has no usable recording on the side of the split that {path[0]!r} is on; "
                    "add recordings, or give that side no share in 'ingest.splits'"
                )
        yield DEGRADATIONS[step.kind].drawn(rng, pools, step.draws).spec


def references(steps: Sequence[OperatorSpec]) -> tuple[AudioRef, ...]:
    """Return the pool recordings that the steps refer to, in order."""
    return tuple(
        AudioRef.model_validate(value)
        for step in steps
        for parameter in step.params.values()
        for value in (parameter if isinstance(parameter, list) else [parameter])
        if isinstance(value, dict) and _NEEDED <= value.keys() <= AudioRef.model_fields.keys()
    )


_NEEDED = {name for name, field in AudioRef.model_fields.items() if field.is_required()}
