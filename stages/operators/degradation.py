"""What every degradation is: a fully determined change to a waveform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self, Unpack

import numpy as np
from pydantic import ConfigDict

from schemas import Fact
from stages.audio.waveform import AudioSource, Waveform
from stages.operators.distributions import Distribution, Pools
from stages.operators.operator import Operator, Registry


@dataclass(frozen=True, slots=True)
class Scene:
    """Speech under damage, the clean reference it will be judged by, and what the last step did."""

    degraded: Waveform
    reference: Waveform
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """Measured by the step, units in the names: ``delay_samples``, ``noise_peak``, ``drr_db`` …"""


class Degradation(Operator):
    """A distortion with every parameter decided.

    Fields are physical quantities with their units in their names. ``apply`` is pure: it
    draws nothing, reads only the audio its fields refer to, keeps length and rate, removes
    whatever delay it causes, and never clips unless it is the one that clips. A member writes
    ``apply``, or ``damage`` where it moves the reference or reports facts; the other follows.
    """

    draws: ClassVar[Mapping[str, Distribution]] = {}
    """How each field is drawn by default."""

    def __init_subclass__(cls, **settings: Unpack[ConfigDict]) -> None:
        """Raise ``TypeError`` for a class that says in neither way what it does."""
        super().__init_subclass__(**settings)
        if cls.apply is Degradation.apply and cls.damage is Degradation.damage:
            raise TypeError(f"{cls.__qualname__} has neither apply nor damage; write one of them")

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:
        """Return ``speech``, degraded."""
        return self.damage(Scene(speech, speech), sources).degraded

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Return the scene after this step."""
        return Scene(self.apply(scene.degraded, sources), scene.reference)

    @classmethod
    def drawn(
        cls,
        rng: np.random.Generator,
        pools: Pools,
        draws: Mapping[str, Distribution] | None = None,
    ) -> Self:
        """Decide every parameter, by ``draws`` where given and by the defaults elsewhere."""
        chosen = {**cls.draws, **(draws or {})}
        return cls.model_validate({name: d.draw(rng, pools) for name, d in sorted(chosen.items())})


DEGRADATIONS: Registry[Degradation] = Registry("degradation")
