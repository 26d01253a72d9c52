"""For metrics that hear the candidate without its reference, in blocks if it is long."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from schemas import Outcome
from stages.level import is_silent
from stages.metrics.base import Comparison, Measured, Metric
from stages.metrics.guard import try_measuring, require_audible
from stages.waveform import Samples


class NoReferenceMetric(Metric):
    """A metric that says what one stretch of speech is worth; silence, NaN and short audio never reach it.

    What is longer than ``longest_s`` is heard in the fewest blocks of one length that are not, and its
    score is the mean of those that hold any sound. One recording at a time: padding to the longest of a
    batch would move the others.
    """

    needs_clean: ClassVar[bool] = False
    shortest_s: ClassVar[float] = 0.1
    longest_s: ClassVar[float] = float("inf")
    """What the network can hold in memory, or was made for."""

    @abstractmethod
    def hear(self, samples: Samples) -> Measured:
        """Return the values of one stretch at the metric's rate."""

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each candidate, or why there are none."""
        return [try_measuring(partial(self._checked, comparison)) for comparison in batch]

    def _checked(self, comparison: Comparison) -> Measured:
        candidate = comparison.candidate
        require_audible(candidate, "candidate", self.shortest_s)
        blocks = split_equally(candidate.samples, self.longest_s * candidate.sample_rate)
        heard = [self.hear(block) for block in blocks if not is_silent(block)]
        return {suffix: float(np.mean([values[suffix] for values in heard])) for suffix in self.outputs}


def split_equally(row: NDArray[np.float32], longest: float) -> list[NDArray[np.float32]]:
    """Return ``row`` in the fewest stretches of at most ``longest``, no two lengths more than one apart."""
    return np.array_split(row, max(1, int(np.ceil(len(row) / longest))))
