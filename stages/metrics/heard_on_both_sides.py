"""For metrics that hear each side by itself and then compare what they heard."""

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from schemas import Outcome
from stages.metrics.base import Comparison, Measured, Metric
from stages.metrics.guard import try_measuring, require_both_audible
from stages.waveform import Samples


class EmbeddingMetric(Metric):
    """A metric whose clean reference is heard once for all its candidates in a batch.

    Silence, NaN and short audio never reach it. One recording at a time: a network would hear the padding
    of a batch.
    """

    shortest_s: ClassVar[float] = 0.1

    @abstractmethod
    def hear(self, samples: Samples) -> Any:
        """Return what is heard in samples at the metric's rate."""

    @abstractmethod
    def compare(self, candidate: Any, clean: Any) -> Measured:
        """Return the values for what was heard; raises ``RecordError`` with the reason if there are none."""

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each comparison, or why there are none."""
        heard: dict[str, Any] = {}
        return [try_measuring(partial(self._checked, comparison, heard)) for comparison in batch]

    def _checked(self, comparison: Comparison, heard: dict[str, Any]) -> Measured:
        require_both_audible(comparison, self.shortest_s)
        name = hashlib.sha256(comparison.clean.samples.tobytes()).hexdigest()
        if name not in heard:
            heard[name] = self.hear(comparison.clean.samples)
        return self.compare(self.hear(comparison.candidate.samples), heard[name])
