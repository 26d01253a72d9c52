"""How a planned row ended: a value, or a reason from a closed list."""

from enum import StrEnum
from typing import Any, Self

from pydantic import model_validator

from schemas.record import Record


class Status(StrEnum):
    """What became of a planned row."""

    OK = "ok"
    UNFIT = "unfit"
    SKIPPED = "skipped"
    FAILED = "failed"


class Reason(StrEnum):
    """Why there is no value. The list is closed: readers may match on it."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    EMPTY = "empty"
    SILENT = "silent"
    LOW_LEVEL = "low_level"
    NO_SPEECH = "no_speech"
    CHANNELS_CANCEL = "channels_cancel"
    TOO_SHORT = "too_short"
    NOT_FINITE = "not_finite"
    NOT_MONO = "not_mono"
    UNDAMAGED = "undamaged"
    SAME_AS_CLEAN = "same_as_clean"
    LOW_BANDWIDTH = "low_bandwidth"
    DUPLICATE_ID = "duplicate_id"
    LICENCE_NOT_ALLOWED = "licence_not_allowed"
    NO_REFERENCE = "no_reference"
    NO_TRANSCRIPT = "no_transcript"
    NO_VALUE_UPSTREAM = "no_value_upstream"
    DUPLICATE_TAKE = "duplicate_take"
    WRONG_SHAPE = "wrong_shape"
    ERROR = "error"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"


NONDETERMINISTIC = frozenset({Reason.CHANGED, Reason.CRASHED, Reason.TIMED_OUT, Reason.OUT_OF_MEMORY})
"""Reasons that may differ from run to run; rows that hold them are outside the same-bytes promise."""


class Outcome(Record):
    """A status and, unless it is ``ok``, the reason, with our own words on it."""

    status: Status = Status.OK
    reason: Reason | None = None
    detail: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether there is a value."""
        return self.status is Status.OK

    @property
    def fields(self) -> dict[str, Any]:
        """The three fields, to build a row from."""
        return {"status": self.status, "reason": self.reason, "detail": self.detail}

    @model_validator(mode="after")
    def _reason_belongs_to_no_value(self) -> Self:
        if (self.status is Status.OK) != (self.reason is None):
            raise ValueError(f"status {self.status} with reason {self.reason}")
        return self


class Row(Outcome):
    """One planned row of a table, under the name that it has in every table of its kind."""

    id: str

    @property
    def counted(self) -> tuple[Outcome, ...]:
        """What tables count of it, and the failure budget: the row itself, or each of its takes."""
        return (self,)
