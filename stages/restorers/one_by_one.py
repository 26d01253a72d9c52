"""Models that hear one recording after another, and whose restorations may be taken in part."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stages.distributions import Distribution, Uniform
from stages.restorers.base import Restorer
from stages.restorers.wet_mix import Strength, blend
from stages.waveform import Waveform


class UnbatchedRestorer(Restorer):
    """A model without a batch dimension and without randomness: takes differ by how much of it is taken."""

    draws: ClassVar[Mapping[str, Distribution]] = {"strength": Uniform(low=0.5, high=1.0)}

    strength: Strength = 1.0

    @abstractmethod
    def restored(self, waveform: Waveform) -> NDArray[np.floating[Any]]:
        """Return what the model makes of one input: samples, about as many."""

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return what the model makes of each input, as far as it is taken."""
        return [blend(waveform, self.restored(waveform), self.strength) for waveform in batch]
