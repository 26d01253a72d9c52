"""Speaker similarity: whether a network for speaker verification hears the same speaker."""

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from schemas import BrokenError, Reason
from stages.metrics.base import Aspect, Better, Comparison, Measured, Metric, Output, Unmeasured
from stages.metrics.guard import measured, require_both_sound
from stages.waveform import Samples
from stages.weighted import Weighted

SAMPLE_RATE = 16_000
SHORTEST_S = 0.5
LONGEST_S = 30
"""Attention needs memory that grows with the square of the length."""

Embedding = NDArray[np.floating[Any]]


class SpeakerSimilarity(Weighted, Metric):
    """Cosine between the speaker embeddings of candidate and clean.

    One recording at a time: batches of unequal lengths are padded, and padding is heard. Longer ones are cut
    into the fewest equal parts of at most 30 s, whose embeddings of length 1 are added up.
    """

    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    unverified: ClassVar[str] = "not run with its published weights, only with small random ones"
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.TIMBRE_PRESERVATION,
            better=Better.HIGHER,
            low=-1.0,
            high=1.0,
            noise_floor=0.01,
            votes=False,
            note="scores of different networks do not compare; no vote by default while not run with its "
            "published weights",
        )
    }

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return SAMPLE_RATE

    @abstractmethod
    def embed(self, samples: Samples) -> Embedding:
        """Return the embedding of at most 30 s of speech, shape ``(dimensions,)``."""

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Unmeasured]:
        """Return the cosine of each comparison, or why there is none; shared references are heard once."""
        heard: dict[str, Embedding] = {}
        return [measured(partial(self._measure, comparison, heard)) for comparison in batch]

    def _measure(self, comparison: Comparison, heard: dict[str, Embedding]) -> Measured:
        require_both_sound(comparison, SHORTEST_S)
        name = hashlib.sha256(comparison.clean.samples.tobytes()).hexdigest()
        if name not in heard:
            heard[name] = self._speaker(comparison.clean.samples)
        cosine = float(np.dot(heard[name], self._speaker(comparison.candidate.samples)))
        return {"": float(np.clip(cosine, -1.0, 1.0))}

    def _speaker(self, samples: Samples) -> Embedding:
        parts = np.array_split(samples, -(-samples.size // (LONGEST_S * SAMPLE_RATE)))
        return _unit(np.sum([_unit(self.embed(part)) for part in parts], axis=0))


def _unit(embedding: Embedding) -> Embedding:
    length = float(np.linalg.norm(embedding.astype(np.float64)))
    if not np.isfinite(length) or length == 0.0:
        raise BrokenError(Reason.NOT_FINITE, "the embedding has no direction")
    unit: Embedding = embedding.astype(np.float64) / length
    return unit
