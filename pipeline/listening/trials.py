"""Which two restorations a listener hears next, and which of them is A.

Trials follow from the listener's name, what is there to compare and what the listener has said so far: a test
can be left and taken up at any time, and goes on while a run adds to it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.listening.invitations import ListeningPlan
from pipeline.listening.votes import Origin, Question, Stimulus, TrialPurpose, Vote
from schemas import fingerprint_of
from stages.operators.rng import rng_for

REPEAT_EVERY = 10
"""One trial of ten asks again what was asked before: how far does the listener agree with themselves?"""
LEAST_DISTANCE = 4
"""Trials between a question and its repetition, so that the answer is not simply remembered."""


@dataclass(frozen=True, slots=True)
class StimulusPair:
    """Two restorations of one degraded utterance that can be heard."""

    row: str
    sides: frozenset[Stimulus]
    origin: Origin

    @property
    def question(self) -> Question:
        """What is compared."""
        return self.row, self.sides


@dataclass(frozen=True, slots=True)
class Trial:
    """One question: whether A is better, or B."""

    number: int
    row: str
    origin: Origin
    a: Stimulus
    b: Stimulus
    is_repeat: bool = False
    purpose: TrialPurpose = TrialPurpose.VOTE

    @property
    def question(self) -> Question:
        """What is compared, whichever is A."""
        return self.row, frozenset((self.a, self.b))

    @property
    def token(self) -> str:
        """What a listener's browser knows it by, which says nothing of what is compared."""
        return fingerprint_of([self.number, self.row, self.a.digest, self.b.digest])


def choose_next_trial(
    listener: str,
    comparisons: Sequence[StimulusPair],
    votes: Sequence[Vote],
    references: Sequence[StimulusPair] = (),
    plan: ListeningPlan | None = None,
) -> Trial | None:
    """Return what the listener is to be asked now; None once there is nothing left.

    ``votes`` are the listener's own. Pairs and drawn comparisons alternate while there are both.
    ``references`` are the clean speech beside the damaged input, of which ``plan`` says when they are asked.
    """
    number = len(votes)
    if comparisons and (purpose := _check_that_is_due(number, plan)):
        asked = {vote.question for vote in votes if not vote.counts}
        left = [each for each in references if each.question not in asked]
        if left:
            return _trial_of(listener, number, min(left, key=lambda each: _place(listener, each)), purpose)
    there = {comparison.question for comparison in comparisons}
    if number % REPEAT_EVERY == REPEAT_EVERY - 1 and (vote := _to_repeat(listener, votes, there)):
        return Trial(number, vote.row, vote.origin, vote.b, vote.a, is_repeat=True)
    found = _next_comparison(listener, comparisons, votes)
    return None if found is None else _trial_of(listener, number, found, TrialPurpose.VOTE)


def _check_that_is_due(number: int, plan: ListeningPlan | None) -> TrialPurpose | None:
    if plan is None:
        return None
    if number < plan.training:
        return TrialPurpose.TRAINING
    every = plan.reference_every
    return TrialPurpose.REFERENCE if every and number % every == every // 2 else None


def _trial_of(listener: str, number: int, found: StimulusPair, purpose: TrialPurpose) -> Trial:
    """Return the trial; which side is A is thrown by a coin."""
    a, b = sorted(found.sides, key=lambda side: (side.model, side.take))
    if rng_for(0, "listening", listener, "side", number).random() < 0.5:  # noqa: PLR2004 - a coin
        a, b = b, a
    return Trial(number, found.row, found.origin, a, b, purpose=purpose)


def _to_repeat(listener: str, votes: Sequence[Vote], there: set[Question]) -> Vote | None:
    """Return an earlier vote that was not repeated yet, and whose audio is still there."""
    left = there - {vote.question for vote in votes if vote.is_repeat}
    earlier = votes[: max(len(votes) - LEAST_DISTANCE, 0)]
    able = [vote for vote in earlier if vote.counts and not vote.is_repeat and vote.question in left]
    if not able:
        return None
    rng = rng_for(0, "listening", listener, "repeat", len(votes))
    return able[int(rng.integers(len(able)))]


def _next_comparison(
    listener: str, comparisons: Iterable[StimulusPair], votes: Sequence[Vote]
) -> StimulusPair | None:
    """Return the first in the listener's order that was not judged, of the kind whose turn it is if any."""
    judged = {vote.question for vote in votes if vote.counts}
    left = [c for c in comparisons if c.question not in judged]
    turn = Origin.PAIR if len(judged) % 2 == 0 else Origin.DRAWN
    return min(left, key=lambda c: (c.origin is not turn, _place(listener, c)), default=None)


def _place(listener: str, comparison: StimulusPair) -> bytes:
    """Return where a comparison stands in the listener's order: by hash, whatever else there is."""
    sides = sorted(side.digest for side in comparison.sides)
    return hashlib.sha256("\x1f".join((listener, comparison.row, *sides)).encode()).digest()
