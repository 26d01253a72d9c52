"""The clean reference as a candidate: what every metric says of a perfect restoration."""

from collections.abc import Sequence

from schemas import Degraded, Outcome, Reason, Restored, Status, Take
from schemas.rows import CLEAN
from stages.stage import Stage

VERSION = 1


class CleanStage(Stage[Degraded, Restored]):
    """The clean side as the one take of a model called ``clean``, sample for sample."""

    def name_of(self, record: Degraded) -> str:
        """Return the id of the degraded utterance."""
        return record.id

    def process(self, batch: Sequence[Degraded]) -> list[Restored]:
        """Return the clean side of each record."""
        return [self._restored_row_of(record) for record in batch]

    def without_value(self, record: Degraded, outcome: Outcome) -> Restored:
        """Return a row without takes that says why."""
        return Restored(id=record.id, model=CLEAN, **outcome.fields)

    def _restored_row_of(self, record: Degraded) -> Restored:
        if record.clean is None:
            reason = Reason.NO_VALUE_UPSTREAM
            return self.without_value(record, Outcome(status=Status.SKIPPED, reason=reason))
        return Restored(id=record.id, model=CLEAN, takes=(Take(take=0, audio=record.clean),))
