"""What every model of the user's own says in settings, where a built-in one says it in code."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas import SampleRate
from stages.operators.restorer import CHUNK_S, OVERLAP_S, Restorer
from stages.weights.has_weights import HasWeights

SHORTEST_CHUNK_S = 0.5
"""In less a model hears no word."""


class UserModel(HasWeights, Restorer):
    """A model that comes with the config: nobody here knows what it is but from what the config says."""

    paradigm: ClassVar[str] = "as the user's model"
    licence: ClassVar[str] = "as the user's model"
    loaded_by: ClassVar[frozenset[str]] = frozenset({"model_sample_rate", "model_sampling", "longest_s"})

    model_sample_rate: SampleRate | None = None
    """The rate that it works at in Hz; None if any rate will do."""
    model_sampling: bool = False
    """Whether it draws random numbers."""
    longest_s: float | None = Field(default=CHUNK_S, ge=SHORTEST_CHUNK_S)
    """The longest input in seconds, longer ones come in chunks; None if there is none."""

    @property
    def sample_rate(self) -> int | None:
        """The model's rate in Hz."""
        return self.model_sample_rate

    @property
    def sampling(self) -> bool:
        """What the settings say: a model of the user's own cannot be asked before it is loaded."""
        return self.model_sampling

    @property
    def chunk_s(self) -> float | None:
        """The longest input in seconds."""
        return self.longest_s

    @property
    def overlap_s(self) -> float:
        """A second, or a quarter of chunks that have no room for that."""
        if self.longest_s is None or self.longest_s >= 3 * OVERLAP_S:
            return OVERLAP_S
        return self.longest_s / 4


class BatchedUserModel(UserModel):
    """One that may take several inputs at once."""

    loaded_by: ClassVar[frozenset[str]] = frozenset({"batch_seconds", "batch_tolerance"})

    batch_seconds: Annotated[float, Field(ge=0)] = 0.0
    """Seconds of audio per call for a model with a free batch dimension; 0: one input per call."""
    batch_tolerance: Annotated[float, Field(ge=0)] = 1e-3
    """By how much of the peak a sample may differ in company: matrix products in batches round otherwise."""

    @property
    def batch_s(self) -> float:
        """Seconds of audio per call."""
        return self.batch_seconds

    @property
    def tolerance(self) -> float:
        """Nothing, for one input per call."""
        return self.batch_tolerance if self.batch_seconds else 0.0
