"""What listeners' votes say of the metrics, and of the listeners themselves."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.listening.intervals import Share
from pipeline.listening.votes import Origin, Question, Stimulus, Vote, VoteChoice
from schemas import Record


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
    outdated: int = 0
    """Votes on audio that is not there any more, left out of all but the listeners' own figures."""


def agreement_of(judged: Sequence[Judged], scores: Sequence[str], votes: Sequence[Vote]) -> ListenerAgreement:
    """Return what ``votes`` come to, of which those that still have their audio are ``judged``.

    A question that was asked again counts once, as it was answered first.
    """
    first = [one for one in judged if not one.vote.is_repeat]
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
        listeners=tuple(_listener(name, own) for name, own in sorted(_by_listener(votes).items())),
        between_listeners=_agreement_between(first),
        outdated=len(votes) - len(judged),
    )


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


def _listener(name: str, votes: Sequence[Vote]) -> ListenerSummary:
    before = {vote.question: vote for vote in votes if not vote.is_repeat}
    again = [(vote, before.get(vote.question)) for vote in votes if vote.is_repeat]
    return ListenerSummary(
        listener=name,
        trials=len(votes),
        repeats=Share.of((now.row, now.preferred == then.preferred) for now, then in again if then),
        first_side=Share.of((vote.row, _is_first(vote)) for vote in votes),
    )


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
