"""Annotation: which restored take of a recording may stand for the clean speech that nobody recorded.

There is no reference, so that one score that errs would choose by its error. A take is chosen only if every
vote prefers it to the recording beyond its margin and to every other sound take, and if no veto refuses it,
such as one on words that are no longer those of the recording.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from stages.prefer.comparisons import CandidateScores, Indices
from stages.prefer.criteria import Criterion
from stages.prefer.vetoes import Veto

AS_RECORDED = "recording"
"""The model whose one take is the recording as it is."""
ANNOTATION_VERSION = 1
"""Rises when the same scores and rules would choose another take."""


class Verdict(StrEnum):
    """What became of a take, or of the best of a recording's takes; each got further than the one before."""

    NO_AUDIO = "no_audio"
    """There is no take: its row says why."""
    UNSCORED = "unscored"
    """A vote is missing, of the take or of the recording."""
    VETOED = "vetoed"
    NOT_BETTER = "not_better"
    """Some vote does not prefer it to the recording by more than its margin."""
    SPLIT_VOTE = "split_vote"
    """It beats the recording, but some vote prefers another sound take, or knows no difference."""
    CHOSEN = "chosen"


_FURTHEST_LAST = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class TakeVerdict:
    """What became of one take, and why, for people."""

    verdict: Verdict
    detail: str = ""
    strength: float | None = None
    """Of a chosen take: its narrowest win over the recording, in units of the criterion's scale."""


@dataclass(frozen=True, slots=True)
class AnnotationRules:
    """Who votes, and what a take is refused for."""

    criteria: Sequence[Criterion]
    vetoes: Sequence[Veto]

    @property
    def scores(self) -> tuple[str, ...]:
        """The scores and facts that are looked at."""
        looked_at = (*(c.metric for c in self.criteria), *(veto.looks_at for veto in self.vetoes))
        return tuple(dict.fromkeys(looked_at))

    def judge(self, candidates: CandidateScores) -> list[TakeVerdict]:
        """Return what becomes of each take; the first of ``candidates`` is the recording itself.

        Takes without audio have no scores at all, and are the caller's to tell.
        """
        takes = np.arange(1, len(candidates.models))
        gains = np.stack(
            [
                c.advantage(candidates.scores[c.metric][1:], candidates.scores[c.metric][0])
                for c in self.criteria
            ],
            axis=1,
        )
        has_votes = ~np.isnan(gains).any(axis=1)
        refusals = self._refusals(candidates, takes)
        beats = gains > np.array([c.margin for c in self.criteria])
        is_sound = has_votes & np.array([not labels for labels in refusals], dtype=bool)
        verdicts = []
        for place in range(takes.size):
            if not has_votes[place]:
                verdicts.append(self._unscored(candidates, place + 1))
            elif refusals[place]:
                verdicts.append(TakeVerdict(Verdict.VETOED, ", ".join(refusals[place])))
            elif not beats[place].all():
                verdicts.append(TakeVerdict(Verdict.NOT_BETTER, self._names(~beats[place])))
            else:
                verdicts.append(self._rank(gains, is_sound, place))
        return verdicts

    def _refusals(self, candidates: CandidateScores, takes: Indices) -> list[list[str]]:
        """Return the labels of the vetoes that refuse each take."""
        recording = np.zeros_like(takes)
        refused = [veto.refuses(candidates, takes, recording) for veto in self.vetoes]
        return [
            [veto.label for veto, of_veto in zip(self.vetoes, refused, strict=True) if of_veto[place]]
            for place in range(takes.size)
        ]

    def _rank(self, gains: NDArray[np.float64], is_sound: NDArray[np.bool_], place: int) -> TakeVerdict:
        """Return the verdict on a take that beats the recording: whether it is ahead of all other takes."""
        others = is_sound.copy()
        others[place] = False
        ahead = (gains[place] > gains[others]).all(axis=0)
        if not ahead.all():
            return TakeVerdict(Verdict.SPLIT_VOTE, self._names(~ahead))
        scales = np.array([c.scale for c in self.criteria])
        return TakeVerdict(Verdict.CHOSEN, strength=float((gains[place] / scales).min()))

    def _unscored(self, candidates: CandidateScores, place: int) -> TakeVerdict:
        for side, at in (("recording", 0), ("take", place)):
            lacking = [c.metric for c in self.criteria if np.isnan(candidates.scores[c.metric][at])]
            if lacking:
                return TakeVerdict(Verdict.UNSCORED, f"the {side} has no {', '.join(lacking)}")
        raise AssertionError("a take without votes lacks a score, or its recording does")

    def _names(self, of: NDArray[np.bool_]) -> str:
        return ", ".join(c.metric for c, is_of in zip(self.criteria, of, strict=True) if is_of)


def sum_up(verdicts: Sequence[TakeVerdict]) -> TakeVerdict:
    """Return what becomes of a recording: what the best of its takes came to, and how many say what."""
    best = max((each.verdict for each in verdicts), key=_FURTHEST_LAST.index, default=Verdict.NO_AUDIO)
    if best is Verdict.CHOSEN:
        return next(each for each in verdicts if each.verdict is best)
    reasons = Counter(each.detail for each in verdicts if each.verdict is best)
    told = "; ".join(f"{number} of {len(verdicts)} takes: {why}" for why, number in reasons.items() if why)
    return TakeVerdict(best, told)
