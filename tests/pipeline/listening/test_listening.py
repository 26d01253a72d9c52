"""The blind listening test: which question comes next, what is kept of an answer, what answers add up to."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.listening.agreement import Judged, ListenerAgreement, agreement_of, careful_votes
from pipeline.listening.intervals import Share, wilson_interval
from pipeline.listening.invitations import ListeningPlan
from pipeline.listening.trials import REPEAT_EVERY, StimulusPair, Trial, choose_next_trial
from pipeline.listening.votes import Origin, Stimulus, TrialPurpose, Vote, VoteBook, VoteChoice
from pipeline.store.line_log import LocalLogs


def _side(name: str) -> Stimulus:
    return Stimulus(model=name, take=0, digest=name[0] * 64)


ONE, OTHER = _side("a-model"), _side("b-model")


def _comparisons(number: int) -> list[StimulusPair]:
    """Return comparisons of both origins, each of its own utterance."""
    origins = (Origin.PAIR, Origin.DRAWN)
    return [StimulusPair(f"row {k}", frozenset((ONE, OTHER)), origins[k % 2]) for k in range(number)]


def _vote(trial: Trial, choice: VoteChoice = VoteChoice.A, listener: str = "Ann") -> Vote:
    return Vote(
        listener=listener,
        trial=trial.number,
        row=trial.row,
        origin=trial.origin,
        a=trial.a,
        b=trial.b,
        choice=choice,
        is_repeat=trial.is_repeat,
        purpose=trial.purpose,
        voted_at_s=0.0,
    )


def _session(listener: str, comparisons: Sequence[StimulusPair]) -> list[Trial]:
    """Return all trials of a listener who always votes for A."""
    votes: list[Vote] = []
    trials = []
    while trial := choose_next_trial(listener, comparisons, votes):
        trials.append(trial)
        votes.append(_vote(trial, listener=listener))
    return trials


def test_everything_is_asked_once_and_a_tenth_is_asked_again_on_swapped_sides() -> None:
    """90 comparisons are 100 trials; a repetition has another A than the first time, some trials earlier."""
    trials = _session("Ann", _comparisons(90))

    first = {trial.row: trial for trial in trials if not trial.is_repeat}
    again = [trial for trial in trials if trial.is_repeat]
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert len(first) == 90
    assert [trial.number % REPEAT_EVERY for trial in again] == [REPEAT_EVERY - 1] * 10
    assert len({trial.row for trial in again}) == 10
    assert all(trial.a == first[trial.row].b and trial.b == first[trial.row].a for trial in again)
    assert all(trial.number - first[trial.row].number > 3 for trial in again)


def test_pairs_and_drawn_comparisons_alternate() -> None:
    """A listener who stops anywhere has heard as many of the one as of the other."""
    origins = [trial.origin for trial in _session("Ann", _comparisons(40)) if not trial.is_repeat]

    assert all(one is not other for one, other in pairwise(origins))


def test_sides_and_order_are_by_chance_and_each_listeners_own() -> None:
    """About half of the trials have either model as A; another listener hears another order."""
    comparisons = _comparisons(200)
    ann, ben = _session("Ann", comparisons), _session("Ben", comparisons)

    assert 70 <= sum(trial.a == ONE for trial in ann if not trial.is_repeat) <= 130
    assert [trial.row for trial in ann] != [trial.row for trial in ben]
    assert ann == _session("Ann", list(reversed(comparisons)))


def test_a_test_goes_on_where_it_was_left_while_the_run_grows() -> None:
    """What was judged is not asked again when more has come, and what has come is asked."""
    few, many = _comparisons(10), _comparisons(30)
    votes: list[Vote] = []
    for _ in range(6):
        trial = choose_next_trial("Ann", few, votes)
        assert trial is not None
        votes.append(_vote(trial))

    asked = {vote.row for vote in votes}
    while trial := choose_next_trial("Ann", many, votes):
        assert trial.is_repeat or trial.row not in asked
        asked.add(trial.row)
        votes.append(_vote(trial))
    assert len(asked) == 30


def test_nothing_is_asked_again_that_cannot_be_heard_any_more() -> None:
    """A run was begun anew with other audio: the tenth question is a new one, not a repetition."""
    votes = [_vote(trial) for trial in _session("Ann", _comparisons(9))[:9]]
    renewed = [StimulusPair(c.row, frozenset((ONE, _side("c-model"))), c.origin) for c in _comparisons(9)]

    kept, gone = (choose_next_trial("Ann", now, votes) for now in (_comparisons(9), renewed))

    assert kept is not None
    assert kept.is_repeat
    assert gone is not None
    assert not gone.is_repeat


def _references(number: int) -> list[StimulusPair]:
    """Return the clean speech beside the damaged input, of so many inputs."""
    sides = frozenset((_side("clean"), _side("degraded")))
    return [StimulusPair(f"row {k}", sides, Origin.DRAWN) for k in range(number)]


def _planned_session(plan: ListeningPlan, num_references: int = 30) -> list[Trial]:
    """Return all trials of a listener who always votes for A, under a plan."""
    votes: list[Vote] = []
    trials = []
    given = _comparisons(40), votes, _references(num_references), plan
    while trial := choose_next_trial("Ann", *given):
        trials.append(trial)
        votes.append(_vote(trial))
    return trials


def test_training_comes_first_and_hidden_references_between() -> None:
    """Both are the clean speech beside the damaged input, never twice the same; all else is asked as ever."""
    trials = _planned_session(ListeningPlan(training=2, reference_every=8))

    hidden = [trial for trial in trials if trial.purpose is TrialPurpose.REFERENCE]
    training = [trial for trial in trials if trial.purpose is TrialPurpose.TRAINING]
    voted = [trial for trial in trials if trial.purpose is TrialPurpose.VOTE]
    assert [trial.number for trial in training] == [0, 1]
    assert [trial.number % 8 for trial in hidden] == [4] * len(hidden)
    assert len({trial.row for trial in (*training, *hidden)}) == 2 + len(hidden)
    assert {trial.a.model for trial in hidden} == {"clean", "degraded"}
    assert len({trial.row for trial in voted if not trial.is_repeat}) == 40
    assert all(trial.question in {c.question for c in _comparisons(40)} for trial in voted)


def test_a_test_without_references_to_hear_ends_all_the_same() -> None:
    """A run that has degraded nothing else yet: what there is to judge is asked."""
    trials = _planned_session(ListeningPlan(training=2, reference_every=4), num_references=1)

    assert [trial.purpose for trial in trials].count(TrialPurpose.VOTE) == len(trials) - 1
    assert len(trials) > 40


def test_votes_are_kept_whole_whatever_kills_the_writer(tmp_path: Path) -> None:
    """A line that was torn is left out, and the votes before and after it are there."""
    book = VoteBook(LocalLogs(tmp_path / "listening"))
    trials = _session("Ann", _comparisons(3))
    book.add(_vote(trials[0]))
    path = tmp_path / "listening" / "Ann.jsonl"
    path.write_bytes(path.read_bytes() + path.read_bytes()[:40])

    book.add(_vote(trials[1]))
    book.add(_vote(trials[2], listener="Ben"))

    assert book.of("Ann") == [_vote(trials[0]), _vote(trials[1])]
    assert [vote.listener for vote in book.all()] == ["Ann", "Ann", "Ben"]
    assert book.of("nobody") == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b", "..", ".hidden", "", "   ", "x" * 33, "a\0b", "a\nb"]
)
def test_a_listeners_name_cannot_be_a_path(name: str, tmp_path: Path) -> None:
    """Names of people are taken, and nothing that reaches out of the folder of votes."""
    with pytest.raises(ValueError, match="name has"):
        VoteBook(LocalLogs(tmp_path / "listening")).of(name)
    with pytest.raises(ValidationError):
        _vote(Trial(0, "row", Origin.PAIR, ONE, OTHER), listener=name)


def test_names_of_any_script_are_taken(tmp_path: Path) -> None:
    """One name has one file, however its letters are composed."""
    book = VoteBook(LocalLogs(tmp_path / "listening"))
    book.add(_vote(Trial(0, "row", Origin.PAIR, ONE, OTHER), listener="Zoe\u0308 2"))

    assert [vote.listener for vote in book.of("Zo\u00eb 2")] == ["Zo\u00eb 2"]


@pytest.mark.parametrize(
    "name", ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u0e1b\u0e34\u0e48\u0e19", "\u674e\u96f7"]
)
def test_marks_on_letters_are_part_of_a_name(name: str, tmp_path: Path) -> None:
    """Devanagari and Thai write vowels as marks, which no letter has in one character."""
    book = VoteBook(LocalLogs(tmp_path / "listening"))
    book.add(_vote(Trial(0, "row", Origin.PAIR, ONE, OTHER), listener=name))

    assert [vote.listener for vote in book.of(name)] == [name]


def test_wilson_interval_is_the_textbooks() -> None:
    """Against scipy's, which has the same."""
    from scipy.stats import binomtest  # noqa: PLC0415 - slow to load

    expected = binomtest(17, 20).proportion_ci(method="wilson")

    assert wilson_interval(17 / 20, 20) == pytest.approx((expected.low, expected.high))


def test_votes_on_one_utterance_count_for_less_than_votes_on_several() -> None:
    """Ten utterances judged alike four times each are ten votes, not forty; unlike answers are forty."""
    alike = Share.of((str(k), k < 7) for k in range(10) for _ in range(4))
    unlike = Share.of((str(k % 10), k < 28) for k in range(40))
    single = Share.of((str(k), k < 28) for k in range(40))

    assert alike.share == unlike.share == single.share == 0.7
    assert (alike.low, alike.high) == pytest.approx(
        wilson_interval(0.7, 9), abs=1e-9
    )  # Kish with nine degrees of freedom
    assert (unlike.low, unlike.high) == pytest.approx((single.low, single.high))


def test_where_all_agree_each_utterance_counts_once() -> None:
    """Nothing shows how alike answers are if all are the same: the cautious end is taken."""
    share = Share.of((str(k % 5), True) for k in range(20))

    assert (share.votes, share.agreed, share.share) == (20, 20, 1.0)
    assert (share.low, share.high) == pytest.approx(wilson_interval(1.0, 5))


def test_no_vote_is_no_share() -> None:
    """A share that nobody voted on has no number; those who could not tell are counted apart."""
    assert Share.of([("one", None)]) == Share(votes=0, agreed=0, undecided=1)


def _judged(
    row: str,
    choice: VoteChoice,
    *,
    origin: Origin = Origin.PAIR,
    listener: str = "Ann",
    favourite: Stimulus = ONE,
) -> Judged:
    return Judged(
        vote=_vote(Trial(0, row, origin, ONE, OTHER), choice, listener),
        chosen=ONE if origin is Origin.PAIR else None,
        favourites={"pesq": favourite},
        degradations=("noise", "reverb") if row == "loud" else ("noise",),
        utterance=row,
    )


def _agreement(*judged: Judged) -> ListenerAgreement:
    return agreement_of(judged, ("pesq", "estoi"), [one.vote for one in judged])


def test_agreement_is_with_the_chosen_side_overall_and_by_degradation() -> None:
    """Four votes on pairs: two for the chosen side, one against, one cannot tell; one of them in reverb."""
    found = _agreement(
        _judged("loud", VoteChoice.A),
        _judged("two", VoteChoice.A),
        _judged("three", VoteChoice.B),
        _judged("four", VoteChoice.NEITHER),
        _judged("five", VoteChoice.B, origin=Origin.DRAWN),
    )

    assert (found.pairs.agreed, found.pairs.votes, found.pairs.undecided) == (2, 3, 1)
    assert (found.degradations["reverb"].agreed, found.degradations["reverb"].votes) == (1, 1)
    assert (found.degradations["noise"].agreed, found.degradations["noise"].votes) == (2, 3)


def test_a_score_is_judged_by_what_it_favours_on_drawn_comparisons_and_on_pairs() -> None:
    """Of two drawn ones the listener shares one; a score without a favourite has no share."""
    found = _agreement(
        _judged("one", VoteChoice.B, origin=Origin.DRAWN, favourite=OTHER),
        _judged("two", VoteChoice.B, origin=Origin.DRAWN, favourite=ONE),
        _judged("three", VoteChoice.A),
    )

    pesq, estoi = found.scores
    assert (pesq.drawn.agreed, pesq.drawn.votes, pesq.pairs.agreed, pesq.pairs.votes) == (1, 2, 1, 1)
    assert (estoi.drawn.share, estoi.pairs.share) == (None, None)


def test_listeners_are_measured_by_repetition_by_side_and_against_one_another() -> None:
    """The same restoration twice is agreement with oneself, though its side has changed."""
    asked = [Trial(0, "one", Origin.PAIR, ONE, OTHER), Trial(1, "two", Origin.PAIR, ONE, OTHER)]
    again = [Trial(2, "one", Origin.PAIR, OTHER, ONE, is_repeat=True)]
    again += [Trial(3, "two", Origin.PAIR, OTHER, ONE, is_repeat=True)]
    choices = (VoteChoice.A, VoteChoice.NEITHER, VoteChoice.B, VoteChoice.A)
    votes = [_vote(trial, choice) for trial, choice in zip(asked + again, choices, strict=True)]
    found = agreement_of([], (), votes)
    both = _agreement(_judged("one", VoteChoice.A), _judged("one", VoteChoice.B, listener="Ben"))

    (ann,) = found.listeners
    assert (ann.trials, ann.repeats.agreed, ann.repeats.votes) == (4, 1, 2)
    assert (ann.first_side.agreed, ann.first_side.votes, ann.first_side.undecided) == (2, 3, 1)
    assert found.outdated == 4
    assert (both.between_listeners.agreed, both.between_listeners.votes) == (0, 1)


def _answers(listener: str, choices: str) -> list[Vote]:
    """Return answers to hidden references: ``c`` for the clean side, ``d`` the other, ``n`` neither."""
    clean, damaged = _side("clean"), _side("degraded")
    of = {"c": VoteChoice.A, "d": VoteChoice.B, "n": VoteChoice.NEITHER}
    trials = [
        Trial(number, f"row {number}", Origin.DRAWN, clean, damaged, purpose=TrialPurpose.REFERENCE)
        for number in range(len(choices))
    ]
    return [_vote(trial, of[choice], listener) for trial, choice in zip(trials, choices, strict=True)]


def test_who_does_not_find_the_clean_speech_is_careless() -> None:
    """Nor who cannot tell; two answers are too few to say so, and votes of others stay."""
    votes = [*_answers("Ann", "cccd"), *_answers("Ben", "cdcn"), *_answers("Cleo", "dd")]

    found = agreement_of([], (), votes)

    summaries = {one.listener: one for one in found.listeners}
    assert (summaries["Ann"].references.agreed, summaries["Ann"].references.votes) == (3, 4)
    assert summaries["Ann"].carelessness == summaries["Cleo"].carelessness == ()
    assert summaries["Ben"].carelessness == ("found the clean speech in 2 of 4",)
    assert {vote.listener for vote in careful_votes(votes)} == {"Ann", "Cleo"}
    assert found.outdated == 0


def test_listeners_who_agree_have_an_alpha_of_one() -> None:
    """Whichever side was A for them; and where they do not, it is less."""
    said = [("one", VoteChoice.A), ("two", VoteChoice.B)]
    alike = [_judged(row, choice, listener=name) for row, choice in said for name in ("Ann", "Ben")]
    unlike = [*alike, _judged("one", VoteChoice.NEITHER, listener="Cleo")]

    assert (_agreement(*alike).alpha_nominal, _agreement(*alike).alpha_ordinal) == (1.0, 1.0)
    assert (_agreement(*unlike).alpha_nominal or 0.0) < 0.6
    assert (_agreement(*unlike).alpha_ordinal or 0.0) > (_agreement(*unlike).alpha_nominal or 0.0)
    assert _agreement(_judged("one", VoteChoice.A)).alpha_nominal is None
