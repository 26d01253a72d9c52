"""The one place where a foreign exception becomes a reason."""

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas import Outcome, Reason, RecordError, RunError, Status, UserError

T = TypeVar("T")
log = logging.getLogger("unanimous")

OUT_OF_MEMORY = (
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDA error: out of memory",
    "CUDA failure 2: out of memory",
    "CUDA out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
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
        return Attempt(error.outcome)
    except (Exception, SystemExit) as error:  # a library's sys.exit() is about its record, not about the run
        if _next_record_would_meet_it_too(error):
            raise RunError(f"{what}: {type(error).__name__}: {error}") from error
        log.warning("%s: %s: %s", what, type(error).__name__, error, exc_info=True)
        reason = Reason.OUT_OF_MEMORY if _is_out_of_memory(error) else Reason.ERROR
        return Attempt(Outcome(status=Status.FAILED, reason=reason, detail=type(error).__name__))


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller input might do; only torch on a GPU has a class of its own for it."""
    return isinstance(error, MemoryError) or says_out_of_memory(type(error).__name__, str(error))


def says_out_of_memory(kind: str, message: str) -> bool:
    """Whether an error of this class and message, here or in another process, is of memory that ran out."""
    named = kind in {"MemoryError", "OutOfMemoryError"}
    return named or any(words in message for words in OUT_OF_MEMORY)


def says_gpu_is_lost(message: str) -> bool:
    """Whether nothing works on the GPU any more in the process that says so."""
    return "CUDA error" in message


def _next_record_would_meet_it_too(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
        return True
    return isinstance(error, ImportError) or (says_gpu_is_lost(str(error)) and not _is_out_of_memory(error))
