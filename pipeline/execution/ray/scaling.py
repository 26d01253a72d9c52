"""How many workers of which class a cluster holds: decided from counts alone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.tables.tickets import CPU, gpus_of

_ROUNDING = 1e-6
"""Three thirds of a GPU are one."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What there is to work on."""

    cpus: int
    gpus: float

    def room_for(self, resource: str, held: Mapping[str, int]) -> int:
        """Return how many more workers of a class there can be beside those that there are."""
        if share := gpus_of(resource):
            taken = sum(gpus_of(other) * number for other, number in held.items())
            return int((self.gpus - taken) / share + _ROUNDING)
        return max(1, self.cpus) - held.get(resource, 0)


def classes_to_release(
    held: Counter[str], waiting: Counter[str], ready: Counter[str], capacity: Capacity
) -> frozenset[str]:
    """Return the classes whose idle workers are let go: GPUs and environments are held for a purpose only.

    They go when their tickets have run out, and also when they have nothing to do now and another class,
    which may be what they are waiting for, has no worker and no room for one. CPU workers stay.
    """
    crowded_out = any(not held[resource] and capacity.room_for(resource, held) < 1 for resource in ready)
    return frozenset(
        resource
        for resource in held
        if resource != CPU and (not waiting[resource] or (crowded_out and not ready[resource]))
    )
