"""What listeners' votes say of the metrics, and of the listeners themselves."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.listening.intervals import Share
from pipeline.listening.reliability import krippendorff_alpha
from pipeline.listening.votes import Origin, Question, Stimulus, TrialPurpose, Vote, VoteChoice
from schemas import Record
from schemas.rows import CLEAN

LEAST_CHECKS, LEAST_FOUND = 3, 0.75
"""Of so many hidden references a listener has to find this share; who guesses finds a half."""
LEAST_REPEATS, LEAST_AGAIN = 5, 0.5
"""Of so many questions that were asked again more than this share has to be answered as before."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A vote beside what the metrics say of the same two restorations."""

    vote: Vote
    chosen: Stimulus | None
    """The side that a kept pair prefers; None if the two are no pair, or none any more."""
    favourites: Mapping[str, Stimulus]
    """The side that each score favours beyond its margin."""
    degradations: tuple[str, ...]
    utterance: str
    """The clean utterance: what votes have in common when they are about one."""


class ScoreAgreement(Record):
    """How often listeners and one score prefer the same of two restorations."""

    score: str
    drawn: Share
    """Of two that were drawn, whatever the metrics say: what the score is worth by itself."""
    pairs: Share
    """Of the pairs that were kept."""


class ListenerSummary(Record):
    """One listener's work."""

    listener: str
    trials: int
    repeats: Share
    """Questions that were answered the same way when they were asked again, sides swapped."""
    first_side: Share
    """Votes for A: what stays off one half is habit, for sides are drawn by chance."""
    references: Share = Share(votes=0, agreed=0)
    """Checks in which the clean speech won over the damaged input: who cannot tell has not found it."""

    @property
    def carelessness(self) -> tuple[str, ...]:
        """Why their votes are better left out; empty if nothing speaks against them."""
        found, again = self.references, self.repeats
        reasons = []
        if found.votes >= LEAST_CHECKS and (found.share or 0.0) < LEAST_FOUND:
            reasons.append(f"found the clean speech in {found.agreed} of {found.votes}")
        if again.votes >= LEAST_REPEATS and (again.share or 0.0) <= LEAST_AGAIN:
            reasons.append(f"answered the same again in {again.agreed} of {again.votes}")
        return tuple(reasons)


class ListenerAgreement(Record):
    """The outcome of a listening test so far."""

    pairs: Share
    """Listeners prefer the chosen side of a pair that was kept."""
    degradations: dict[str, Share] = {}
    """The same by what was done to the speech; an utterance may have several."""
    scores: tuple[ScoreAgreement, ...] = ()
    listeners: tuple[ListenerSummary, ...] = ()
    between_listeners: Share
    """Two listeners prefer the same of two restorations: no metric can be expected to do much better."""
    alpha_nominal: float | None = None
    """Krippendorff's α of what listeners say of the same two: one, the other, cannot tell. None where no two
    were asked the same, or all said the same of everything."""
    alpha_ordinal: float | None = None
    """The same, where to be unable to tell lies between the two."""
    outdated: int = 0
    """Votes on audio that is not there any more, left out of all but the listeners' own figures."""


def agreement_of(judged: Sequence[Judged], scores: Sequence[str], votes: Sequence[Vote]) -> ListenerAgreement:
    """Return what ``votes`` come to, of which those that still have their audio are ``judged``.

    A question that was asked again counts once, as it was answered first.
    """
    first = [one for one in judged if not one.vote.is_repeat]
    units = list(_answers_by_question(first))
    pairs = [one for one in first if one.vote.origin is Origin.PAIR and one.chosen is not None]
    drawn = [one for one in first if one.vote.origin is Origin.DRAWN]
    kinds = sorted({kind for one in pairs for kind in one.degradations})
    return ListenerAgreement(
        pairs=_with_chosen(pairs),
        degradations={k: _with_chosen(one for one in pairs if k in one.degradations) for k in kinds},
        scores=tuple(
            ScoreAgreement(score=name, drawn=_with_score(drawn, name), pairs=_with_score(pairs, name))
            for name in scores
        ),
        listeners=tuple(summary_of_listener(name, own) for name, own in sorted(_by_listener(votes).items())),
        between_listeners=_agreement_between(first),
        alpha_nominal=krippendorff_alpha(units, is_ordinal=False),
        alpha_ordinal=krippendorff_alpha(units, is_ordinal=True),
        outdated=sum(vote.counts for vote in votes) - len(judged),
    )


def careful_votes(votes: Sequence[Vote]) -> list[Vote]:
    """Return the votes of those listeners against whom nothing speaks."""
    careless = {
        name for name, own in _by_listener(votes).items() if summary_of_listener(name, own).carelessness
    }
    return [vote for vote in votes if vote.listener not in careless]


def _answers_by_question(judged: Iterable[Judged]) -> Iterator[list[int]]:
    """Walk what listeners said of each question: 0 and 2 for its sides, 1 for neither."""
    answers: defaultdict[Question, dict[str, int]] = defaultdict(dict)
    for one in judged:
        sides = sorted((one.vote.a, one.vote.b), key=lambda side: (side.model, side.take))
        preferred = one.vote.preferred
        level = 1 if preferred is None else 2 * sides.index(preferred)
        answers[one.vote.question].setdefault(one.vote.listener, level)
    return (list(said.values()) for said in answers.values())


def _with_chosen(judged: Iterable[Judged]) -> Share:
    return Share.of((one.utterance, _prefers(one.vote, one.chosen)) for one in judged)


def _with_score(judged: Iterable[Judged], score: str) -> Share:
    decided = [one for one in judged if score in one.favourites]
    return Share.of((one.utterance, _prefers(one.vote, one.favourites[score])) for one in decided)


def _prefers(vote: Vote, side: Stimulus | None) -> bool | None:
    return None if vote.preferred is None else vote.preferred == side


def _by_listener(votes: Iterable[Vote]) -> dict[str, list[Vote]]:
    found: defaultdict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        found[vote.listener].append(vote)
    return found


def summary_of_listener(name: str, votes: Sequence[Vote]) -> ListenerSummary:
    """Return what a listener's votes say of the listener."""
    before = {vote.question: vote for vote in votes if vote.counts and not vote.is_repeat}
    checks = [vote for vote in votes if vote.purpose is TrialPurpose.REFERENCE]
    again = [(vote, before.get(vote.question)) for vote in votes if vote.is_repeat]
    return ListenerSummary(
        listener=name,
        trials=len(votes),
        repeats=Share.of((now.row, now.preferred == then.preferred) for now, then in again if then),
        first_side=Share.of((vote.row, _is_first(vote)) for vote in votes if vote.counts),
        references=Share.of((vote.row, _found_clean(vote)) for vote in checks),
    )


def _found_clean(vote: Vote) -> bool:
    return vote.preferred is not None and vote.preferred.model == CLEAN


def _is_first(vote: Vote) -> bool | None:
    return None if vote.choice is VoteChoice.NEITHER else vote.choice is VoteChoice.A


def _agreement_between(judged: Sequence[Judged]) -> Share:
    by_question: defaultdict[Question, dict[str, Judged]] = defaultdict(dict)
    for one in judged:
        by_question[one.vote.question].setdefault(one.vote.listener, one)
    return Share.of(
        answer for answers in by_question.values() for answer in _compare_answers(answers.values())
    )


def _compare_answers(answers: Iterable[Judged]) -> Iterator[tuple[str, bool | None]]:
    for one, other in combinations(answers, 2):
        sides = one.vote.preferred, other.vote.preferred
        yield one.utterance, None if None in sides else sides[0] == sides[1]
