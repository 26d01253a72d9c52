"""What every stage is: one record in, one record out, with a value or a reason."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from schemas import Outcome, Row

In = TypeVar("In")
Out = TypeVar("Out", bound=Row)


class Stage(ABC, Generic[In, Out]):
    """A pure function of records around one or several operators; knows no paths, tables or cluster."""

    def load(self, device: str) -> None:
        """Bring models to ``device``: once per worker, before the first record."""

    @property
    def model_s(self) -> float:
        """Seconds spent inside a model since it was loaded; 0 for stages that time none."""
        return 0.0

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
