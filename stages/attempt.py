"""The one place where a foreign exception becomes a reason."""

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas import Outcome, Reason, RecordError, RunError, Status, UnfitError, UserError

T = TypeVar("T")
log = logging.getLogger("unanimous")

OUT_OF_MEMORY = (
    "CUDA error: out of memory",
    "CUDA out of memory",
    "can't allocate memory",
    "Failed to allocate memory",
)
"""What torch and onnxruntime say when an allocation fails, on a GPU or not."""


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """A value with status ``ok``, or no value and why."""

    outcome: Outcome
    value: T | None = None


def attempt(what: str, call: Callable[[], T]) -> Attempt[T]:
    """Return what ``call`` returns, or the reason why it does not.

    ``what`` names the work in the log. The table gets the exception's class and our own words only:
    foreign messages hold addresses and paths. What the next record would meet too goes on up.
    """
    try:
        return Attempt(Outcome(), call())
    except (RunError, UserError):
        raise
    except RecordError as error:
        status = Status.UNFIT if isinstance(error, UnfitError) else Status.FAILED
        return Attempt(Outcome(status=status, reason=error.reason, detail=error.detail))
    except (Exception, SystemExit) as error:  # a library's sys.exit() is about its record, not about the run
        if _next_record_would_meet_it_too(error):
            raise RunError(f"{what}: {type(error).__name__}: {error}") from error
        log.warning("%s: %s: %s", what, type(error).__name__, error, exc_info=True)
        reason = Reason.OUT_OF_MEMORY if _is_out_of_memory(error) else Reason.ERROR
        return Attempt(Outcome(status=Status.FAILED, reason=reason, detail=type(error).__name__))


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller input might do; only torch on a GPU has a class of its own for it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return any(words in str(error) for words in OUT_OF_MEMORY)


def _next_record_would_meet_it_too(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
        return True
    return isinstance(error, ImportError) or ("CUDA error" in str(error) and not _is_out_of_memory(error))
