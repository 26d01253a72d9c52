"""Models that take one recording after another, and whose restorations may be taken in part."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stages.audio.resampling import fit_length
from stages.audio.waveform import Waveform
from stages.operators.distributions import Distribution, Uniform
from stages.operators.restorer import Restorer

Strength = Annotated[float, Field(gt=0.0, le=1.0)]
"""1 is the restoration alone; 0.5 is half of it and half of the input."""


def blend(dry: Waveform, wet: NDArray[np.floating[Any]], strength: float) -> Waveform:
    """Return ``strength`` of ``wet`` and the rest of ``dry``, as long as ``wet``: who fits it has to see."""
    if strength == 1.0:
        return dry.with_samples(wet)
    rest = (1.0 - strength) * fit_length(dry.samples, wet.size)
    return dry.with_samples(strength * wet + rest)


class UnbatchedRestorer(Restorer):
    """A model without a batch dimension and without randomness: takes differ by how much of it is taken."""

    draws: ClassVar[Mapping[str, Distribution]] = {"strength": Uniform(low=0.5, high=1.0)}

    strength: Strength = 1.0

    @abstractmethod
    def restore_one(self, waveform: Waveform) -> NDArray[np.floating[Any]]:
        """Return what the model makes of one input: samples, about as many."""

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return what the model makes of each input, as far as it is taken."""
        return [blend(waveform, self.restore_one(waveform), self.strength) for waveform in batch]
