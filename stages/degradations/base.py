"""What every degradation is: a fully determined change to a waveform."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from schemas import Fact
from stages.distributions import Distribution, Pools
from stages.operator import Operator, Registry
from stages.waveform import AudioSource, Waveform


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
    whatever delay it causes, and never clips unless it is the one that clips.
    """

    draws: ClassVar[Mapping[str, Distribution]] = {}
    """How each field is drawn by default."""

    @abstractmethod
    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:
        """Return ``speech``, degraded."""

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Return the scene after this step. Overridden by those that move the reference or report facts."""
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
