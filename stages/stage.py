"""What every stage is: one record in, one record out, with a value or a reason."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas import Outcome, Row

In = TypeVar("In")
Out = TypeVar("Out", bound=Row)


@dataclass(frozen=True, slots=True)
class ModelTime:
    """Seconds inside a model, and seconds of audio that it was given in them."""

    inside_s: float = 0.0
    audio_s: float = 0.0

    def __add__(self, other: "ModelTime") -> "ModelTime":
        return ModelTime(self.inside_s + other.inside_s, self.audio_s + other.audio_s)

    def __sub__(self, other: "ModelTime") -> "ModelTime":
        return ModelTime(self.inside_s - other.inside_s, self.audio_s - other.audio_s)

    @property
    def real_time_factor(self) -> float | None:
        """Seconds of work per second of audio; None if there was no audio."""
        return self.inside_s / self.audio_s if self.audio_s else None


class Stage(ABC, Generic[In, Out]):
    """A pure function of records around one or several operators; knows no paths, tables or cluster."""

    def load(self, device: str) -> None:
        """Bring models to ``device``: once per worker, before the first record."""

    @property
    def model_time(self) -> ModelTime:
        """What calls of a model have taken so far; nothing for stages that time none."""
        return ModelTime()

    @abstractmethod
    def name_of(self, record: In) -> str:
        """Return the id of the row that ``record`` becomes."""

    def batches(self, records: Sequence[In]) -> Iterator[Sequence[In]]:
        """Group records that are best processed together; one by one unless overridden."""
        for record in records:
            yield (record,)

    @abstractmethod
    def process(self, batch: Sequence[In]) -> Sequence[Out]:
        """Return one row per record, in order; raising concerns the whole batch."""

    @abstractmethod
    def without_value(self, record: In, outcome: Outcome) -> Out:
        """Return the row of a record that has no value because of ``outcome``."""
