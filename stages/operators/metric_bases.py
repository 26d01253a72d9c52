"""The three shapes of a metric: without a reference, by embeddings of both sides, with the reference.

And what none of them measures: audio that is not finite, too short or silent.
"""

import hashlib
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas import BrokenError, Outcome, Reason, RecordError, Status, UnfitError
from stages.audio.audible import is_inaudible
from stages.audio.level import is_silent
from stages.audio.waveform import Samples, Waveform
from stages.operators.metric import Comparison, Measured, Metric

T = TypeVar("T")
RECORDINGS_AT_ONCE = 8
"""Of one length, to a network whose memory grows with the square of the length."""


def require_audible(waveform: Waveform, role: str, shortest_s: float) -> None:
    """Raise the reason why ``waveform`` has no score: ``NOT_FINITE``, ``TOO_SHORT`` or ``SILENT``.

    ``role`` says in the table which side of the comparison is meant.
    """
    if not np.isfinite(waveform.samples).all():
        raise BrokenError(Reason.NOT_FINITE, f"{role} has NaN or infinite samples")
    if waveform.duration_s < shortest_s:
        raise UnfitError(Reason.TOO_SHORT, f"{role} is shorter than {shortest_s:g} s")
    if is_inaudible(waveform.samples, waveform.sample_rate):
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


class NoReferenceMetric(Metric):
    """A metric that says what one stretch of speech is worth; silence, NaN and short audio never reach it.

    What is longer than ``longest_s`` is heard in the fewest blocks of one length that are not, and its
    score is the mean of those that hold any sound. One recording at a time: padding to the longest of a
    batch would move the others.
    """

    needs_clean: ClassVar[bool] = False
    shortest_s: ClassVar[float] = 0.1
    longest_s: ClassVar[float] = float("inf")
    """What the network can hold in memory, or was made for."""

    @abstractmethod
    def hear(self, samples: Samples) -> Measured:
        """Return the values of one stretch at the metric's rate."""

    def hear_together(self, blocks: Sequence[Samples]) -> Sequence[Measured]:
        """Return the values of several stretches; who has a batch dimension asks for all at once."""
        return [self.hear(block) for block in blocks]

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each candidate, or why there are none."""
        return [try_measuring(partial(self._check_and_measure, comparison)) for comparison in batch]

    def score_together(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the same with the blocks of all candidates heard together."""
        cut = [outcome_or(partial(self._audible_blocks, comparison)) for comparison in batch]
        heard = iter(self.hear_together([block for each in cut if isinstance(each, list) for block in each]))
        own = [each if isinstance(each, Outcome) else [next(heard) for _ in each] for each in cut]
        return [
            each if isinstance(each, Outcome) else try_measuring(partial(self._mean_of, each)) for each in own
        ]

    def _check_and_measure(self, comparison: Comparison) -> Measured:
        return self._mean_of([self.hear(block) for block in self._audible_blocks(comparison)])

    def _audible_blocks(self, comparison: Comparison) -> list[Samples]:
        candidate = comparison.candidate
        require_audible(candidate, "candidate", self.shortest_s)
        blocks = split_equally(candidate.samples, self.longest_s * candidate.sample_rate)
        return [block for block in blocks if not is_silent(block)]

    def _mean_of(self, heard: Sequence[Measured]) -> Measured:
        return {suffix: float(np.mean([values[suffix] for values in heard])) for suffix in self.outputs}


def outcome_or(call: Callable[[], T]) -> T | Outcome:
    """Return what ``call`` returns, or the outcome of the ``RecordError`` that it raised."""
    try:
        return call()
    except RecordError as error:
        return error.outcome


def heard_by_length(
    recordings: Sequence[Samples], hear: Callable[[NDArray[np.float32]], Sequence[T]]
) -> list[T]:
    """Return what ``hear`` returns for each recording, asked for ``(recordings, samples)`` of one length.

    Nothing is padded: the networks know no mask. Takes of one utterance have its length.
    """
    places: dict[int, list[int]] = {}
    for place, recording in enumerate(recordings):
        places.setdefault(recording.size, []).append(place)
    heard: dict[int, T] = {}
    for alike in places.values():
        for first in range(0, len(alike), RECORDINGS_AT_ONCE):
            together = alike[first : first + RECORDINGS_AT_ONCE]
            results = hear(np.stack([recordings[place] for place in together]))
            heard.update(zip(together, results, strict=True))
    return [heard[place] for place in range(len(recordings))]


def split_equally(row: NDArray[np.float32], longest: float) -> list[NDArray[np.float32]]:
    """Return ``row`` in the fewest stretches of at most ``longest``, no two lengths more than one apart."""
    return np.array_split(row, max(1, int(np.ceil(len(row) / longest))))


class EmbeddingMetric(Metric):
    """A metric whose clean reference is heard once for all its candidates in a batch.

    Silence, NaN and short audio never reach it. One recording at a time: a network would hear the padding
    of a batch.
    """

    shortest_s: ClassVar[float] = 0.1

    @abstractmethod
    def hear(self, samples: Samples) -> Any:
        """Return what is heard in samples at the metric's rate."""

    @abstractmethod
    def compare(self, candidate: Any, clean: Any) -> Measured:
        """Return the values for what was heard; raises ``RecordError`` with the reason if there are none."""

    def hear_together(self, sides: Sequence[Samples]) -> Sequence[Any]:
        """Return what is heard in several; who has a batch dimension asks for all at once."""
        return [self.hear(side) for side in sides]

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each comparison, or why there are none."""
        heard: dict[str, Any] = {}
        return [try_measuring(partial(self._check_and_measure, comparison, heard)) for comparison in batch]

    def score_together(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the same with both sides of all comparisons heard together, each recording once."""
        checked = [outcome_or(partial(self._named_sides, comparison)) for comparison in batch]
        sides = dict(side for each in checked if not isinstance(each, Outcome) for side in each)
        heard = dict(zip(sides, self.hear_together(list(sides.values())), strict=True))
        return [
            each
            if isinstance(each, Outcome)
            else try_measuring(partial(self.compare, *(heard[name] for name, _ in each)))
            for each in checked
        ]

    def _named_sides(self, comparison: Comparison) -> Sequence[tuple[str, Samples]]:
        """Return candidate and clean with their names, which are one where they hold the same."""
        require_both_audible(comparison, self.shortest_s)
        both = comparison.candidate.samples, comparison.clean.samples
        return [(_name_of(samples), samples) for samples in both]

    def _check_and_measure(self, comparison: Comparison, heard: dict[str, Any]) -> Measured:
        require_both_audible(comparison, self.shortest_s)
        name = _name_of(comparison.clean.samples)
        if name not in heard:
            heard[name] = self.hear(comparison.clean.samples)
        return self.compare(self.hear(comparison.candidate.samples), heard[name])


def _name_of(samples: Samples) -> str:
    return hashlib.sha256(samples.tobytes()).hexdigest()


class FullReferenceMetric(Metric):
    """A metric that says how one comparison is measured; silence, NaN and short audio never reach it."""

    shortest_s: ClassVar[float] = 0.1
    """Below this duration in seconds the definition has no meaning."""

    @abstractmethod
    def measure(self, comparison: Comparison) -> Measured:
        """Return the values of one comparison; raises ``RecordError`` with the reason if there are none."""

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each comparison, or why there are none."""
        return [try_measuring(partial(self._check_and_measure, comparison)) for comparison in batch]

    def _check_and_measure(self, comparison: Comparison) -> Measured:
        require_both_audible(comparison, self.shortest_s)
        return self.measure(comparison)
