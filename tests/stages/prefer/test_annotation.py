"""Which take of a recording may stand for clean speech: unanimity over the recording and over other takes."""

from collections.abc import Mapping, Sequence

import numpy as np

from stages.operators.metric import Better
from stages.prefer.annotation import AS_RECORDED, AnnotationRules, TakeVerdict, Verdict, sum_up
from stages.prefer.comparisons import CandidateScores
from stages.prefer.criteria import Criterion
from stages.prefer.vetoes import Veto

RULES = AnnotationRules(
    criteria=(
        Criterion(metric="quality", better=Better.HIGHER, margin=0.1, scale=0.1),
        Criterion(metric="noise", better=Better.LOWER, margin=0.5, scale=1.0),
    ),
    vetoes=(Veto(score="words", at_most=0.2, name="words changed"),),
)
NAN = float("nan")


def judged(
    quality: Sequence[float], noise: Sequence[float], words: Sequence[float] | None = None
) -> list[TakeVerdict]:
    """Return what becomes of the takes; each score begins with that of the recording."""
    scores: Mapping[str, Sequence[float]] = {
        "quality": quality,
        "noise": noise,
        "words": words or [NAN, *[0.0] * (len(quality) - 1)],
    }
    models = (AS_RECORDED, *["model"] * (len(quality) - 1))
    arrays = {name: np.array(values) for name, values in scores.items()}
    return RULES.judge(CandidateScores("it", models, range(len(models)), arrays))


def verdicts_of(*scores: Sequence[float]) -> list[Verdict]:
    """Return the verdicts alone."""
    return [each.verdict for each in judged(*scores)]


def test_the_take_that_every_vote_prefers_is_chosen() -> None:
    """To the recording beyond its margin, to other takes by whatever; its narrowest vote is its strength."""
    first, second = judged([2.0, 2.5, 2.4], [9.0, 3.0, 3.1])

    assert (first.verdict, second.verdict) == (Verdict.CHOSEN, Verdict.SPLIT_VOTE)
    assert first.strength is not None
    assert np.isclose(first.strength, 5.0), "half a point of quality in steps of a tenth"
    assert second.detail == "quality, noise", "the votes that prefer another take"


def test_votes_that_disagree_choose_nobody() -> None:
    """Neither among takes, nor where one vote finds the recording as good; a tie is no preference."""
    assert verdicts_of([2.0, 2.5, 2.4], [9.0, 3.1, 3.0]) == [Verdict.SPLIT_VOTE] * 2
    assert verdicts_of([2.0, 2.5, 2.5], [9.0, 3.1, 3.0]) == [Verdict.SPLIT_VOTE] * 2, "a tie in quality"
    assert verdicts_of([2.0, 2.05], [9.0, 3.0]) == [Verdict.NOT_BETTER], "within the margin"
    assert judged([2.0, 2.5], [9.0, 8.9])[0].detail == "noise"


def test_takes_that_lose_content_are_no_rivals() -> None:
    """The best by votes is refused, and does not keep the next from being chosen; so is the unknown."""
    assert verdicts_of([2, 3, 2.5], [9, 1, 3], [NAN, 0.6, 0.1]) == [Verdict.VETOED, Verdict.CHOSEN]
    lost = judged([2, 3], [9, 1], [NAN, NAN])
    assert (lost[0].verdict, lost[0].detail) == (Verdict.VETOED, "words changed")


def test_a_missing_vote_is_said_with_its_side() -> None:
    """Of the recording, no take can be preferred to it; of a take, the others go on."""
    without = judged([NAN, 2.5, 2.4], [9.0, 3.0, 3.1])
    assert [each.detail for each in without] == ["the recording has no quality"] * 2
    assert verdicts_of([2.0, NAN, 2.4], [9.0, 3.0, 3.1]) == [Verdict.UNSCORED, Verdict.CHOSEN]


def test_a_recording_is_what_its_best_take_came_to() -> None:
    """With the numbers of takes and their reasons; without takes there is nothing."""
    assert sum_up([]).verdict is Verdict.NO_AUDIO
    summed = sum_up(judged([2.0, 2.05, 2.0, 3.0], [9.0, 3.0, 3.1, 9.0], [NAN, 0.0, 0.0, 1.0]))
    assert summed == TakeVerdict(Verdict.NOT_BETTER, "2 of 3 takes: quality")
    assert sum_up(judged([2.0, 2.5], [9.0, 3.0])).verdict is Verdict.CHOSEN
