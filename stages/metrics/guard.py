"""What no metric measures: audio that is not finite, too short or silent."""

import math
from collections.abc import Callable

import numpy as np

from schemas import BrokenError, Outcome, Reason, RecordError, Status, UnfitError
from stages.level import is_silent
from stages.metrics.base import Comparison, Measured
from stages.waveform import Waveform


def require_audible(waveform: Waveform, role: str, shortest_s: float) -> None:
    """Raise the reason why ``waveform`` has no score: ``NOT_FINITE``, ``TOO_SHORT`` or ``SILENT``.

    ``role`` says in the table which side of the comparison is meant.
    """
    if not np.isfinite(waveform.samples).all():
        raise BrokenError(Reason.NOT_FINITE, f"{role} has NaN or infinite samples")
    if waveform.duration_s < shortest_s:
        raise UnfitError(Reason.TOO_SHORT, f"{role} is shorter than {shortest_s:g} s")
    if is_silent(waveform.samples):
        raise UnfitError(Reason.SILENT, f"{role} is silent")


def require_both_audible(comparison: Comparison, shortest_s: float) -> None:
    """Raise the reason why the comparison has no score, whichever side it is found on."""
    require_audible(comparison.clean, "clean", shortest_s)
    require_audible(comparison.candidate, "candidate", shortest_s)


def try_measuring(call: Callable[[], Measured]) -> Measured | Outcome:
    """Return what ``call`` returns if all of it is finite, or the reason that it raised."""
    try:
        values = call()
    except RecordError as error:
        return error.outcome
    if not all(math.isfinite(value) for value in values.values()):
        detail = "the metric gave no finite value"
        return Outcome(status=Status.FAILED, reason=Reason.NOT_FINITE, detail=detail)
    return values
