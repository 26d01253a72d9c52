"""Speaker similarity: whether a network for speaker verification hears the same speaker."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from schemas import BrokenError, Reason
from stages.audio.level import is_silent
from stages.audio.waveform import Samples
from stages.operators.metric import Aspect, Better, Measured, Output
from stages.operators.metric_bases import EmbeddingMetric
from stages.weights.has_weights import HasWeights

SPEAKER_SAMPLE_RATE = 16_000
_LONGEST_S = 30
"""Attention needs memory that grows with the square of the length."""

DIFFERENT_NETWORKS = "scores of different networks do not compare"

Embedding = NDArray[np.floating[Any]]


def cosine_output(noise_floor: float, *, votes: bool, note: str = DIFFERENT_NETWORKS) -> Output:
    """Return the one score of a metric of speaker similarity."""
    return Output(
        aspect=Aspect.TIMBRE_PRESERVATION,
        better=Better.HIGHER,
        low=-1.0,
        high=1.0,
        noise_floor=noise_floor,
        votes=votes,
        note=note,
    )


class SpeakerSimilarity(HasWeights, EmbeddingMetric):
    """Cosine between the speaker embeddings of candidate and clean.

    Recordings over 30 s are cut into the fewest equal parts that are not; the embeddings of length 1 of
    those that hold any sound are added up.
    """

    shortest_s: ClassVar[float] = 0.5

    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    unverified: ClassVar[str] = "not run with its published weights, only with small random ones"
    outputs: ClassVar = {
        "": cosine_output(
            0.01,
            votes=False,
            note=f"{DIFFERENT_NETWORKS}; no vote by default while not run with its published weights",
        )
    }

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return SPEAKER_SAMPLE_RATE

    @abstractmethod
    def embed(self, samples: Samples) -> Embedding:
        """Return the embedding of at most 30 s of speech, shape ``(dimensions,)``."""

    def compare(self, candidate: Embedding, clean: Embedding) -> Measured:
        """Return the cosine."""
        return {"": float(np.clip(np.dot(clean, candidate), -1.0, 1.0))}

    def hear(self, samples: Samples) -> Embedding:
        """Return the embedding, of length 1."""
        return _direction([self.embed(part) for part in _audible_parts(samples)])

    def embed_together(self, parts: Sequence[Samples]) -> Sequence[Embedding]:
        """Return the embedding of each part; who has a batch dimension asks for all at once."""
        return [self.embed(part) for part in parts]

    def hear_together(self, sides: Sequence[Samples]) -> Sequence[Embedding]:
        """Return the same with the parts of all sides embedded together."""
        cut = [_audible_parts(side) for side in sides]
        embeddings = iter(self.embed_together([part for parts in cut for part in parts]))
        return [_direction([next(embeddings) for _ in parts]) for parts in cut]


def _audible_parts(samples: Samples) -> list[Samples]:
    parts = np.array_split(samples, -(-samples.size // (_LONGEST_S * SPEAKER_SAMPLE_RATE)))
    return [part for part in parts if not is_silent(part)]


def _direction(embeddings: Sequence[Embedding]) -> Embedding:
    return _unit(np.sum([_unit(each) for each in embeddings], axis=0))


def _unit(embedding: Embedding) -> Embedding:
    length = float(np.linalg.norm(embedding.astype(np.float64)))
    if not np.isfinite(length) or length == 0.0:
        raise BrokenError(Reason.NOT_FINITE, "the embedding has no direction")
    unit: Embedding = embedding.astype(np.float64) / length
    return unit
