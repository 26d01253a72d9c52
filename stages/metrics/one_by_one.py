"""For metrics that compare with the clean reference and gain nothing from a batch."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from schemas import Outcome
from stages.metrics.base import Comparison, Measured, Metric
from stages.metrics.guard import try_measuring, require_both_audible


class FullReferenceMetric(Metric):
    """A metric that says how one comparison is measured; silence, NaN and short audio never reach it."""

    shortest_s: ClassVar[float] = 0.1
    """Below this duration in seconds the definition has no meaning."""

    @abstractmethod
    def measure(self, comparison: Comparison) -> Measured:
        """Return the values of one comparison; raises ``RecordError`` with the reason if there are none."""

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each comparison, or why there are none."""
        return [try_measuring(partial(self._checked, comparison)) for comparison in batch]

    def _checked(self, comparison: Comparison) -> Measured:
        require_both_audible(comparison, self.shortest_s)
        return self.measure(comparison)
