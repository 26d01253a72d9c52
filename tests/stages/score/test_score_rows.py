"""The score stage: how a metric's answers, and its failures, become rows."""

import dataclasses

import numpy as np
import pytest

from schemas import Outcome, Reason, RunError, Status, Take
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.operators.metric import Comparison
from stages.score.stage import ScoreStage
from tests.support.score_inputs import score_input, with_takes, without_audio
from tests.support.scripted_metrics import (
    Answer,
    Hermit,
    LevelListener,
    Listener,
    ReadingListener,
    TwoNumbers,
    outcomes,
    quiet,
    stage_of,
)
from tests.support.speech_like import noisy, speech_like


def test_one_score_per_take_and_output(clean_speech: Waveform) -> None:
    """Scores carry the name from the config and the output's suffix."""
    metric = TwoNumbers().answering(lambda _: {"left": 1.0, "right": 2.0})

    (row,) = stage_of(metric, "mine").process([score_input(clean_speech, clean_speech, clean_speech)])

    assert (row.id, row.model, row.status) == ("a", "m", Status.OK)
    assert [take.take for take in row.takes] == [0, 1]
    assert [(score.name, score.value) for score in row.takes[1].scores] == [
        ("mine_left", 1.0),
        ("mine_right", 2.0),
    ]


def test_another_length_is_a_fault(clean_speech: Waveform) -> None:
    """Two samples more are not rounding: that take failed, its neighbour did not."""
    longer = clean_speech.with_samples(np.append(clean_speech.samples, [0.0, 0.0]))

    (row,) = stage_of(Listener()).process([score_input(clean_speech, longer, clean_speech)])

    assert outcomes(row) == [(Status.FAILED, Reason.WRONG_SHAPE), (Status.OK, None)]
    assert row.is_ok


def test_no_reference_is_a_reason_for_those_who_need_one(clean_speech: Waveform) -> None:
    """Without a clean reference a metric that needs one is unfit, and one that does not has its value."""
    record = score_input(clean_speech, clean_speech)
    lonely = dataclasses.replace(record, degraded=record.degraded.model_copy(update={"clean": None}))

    (unfit,) = stage_of(Listener()).process([lonely])
    (fine,) = stage_of(Hermit()).process([lonely])

    assert outcomes(unfit) == [(Status.UNFIT, Reason.NO_REFERENCE)]
    assert outcomes(fine) == [(Status.OK, None)]


def test_silence_has_no_level(clean_speech: Waveform) -> None:
    """A silent take is unfit for a metric that needs a level, and says which side is meant."""
    silence = clean_speech.with_samples(np.zeros_like(clean_speech.samples))

    (row,) = stage_of(LevelListener()).process([score_input(clean_speech, silence, clean_speech)])

    assert outcomes(row) == [(Status.UNFIT, Reason.SILENT), (Status.OK, None)]
    assert row.takes[0].scores[0].detail == "candidate is silent"


@pytest.mark.parametrize("transcript", [None, ""])
def test_without_words_there_is_no_vote_on_words(clean_speech: Waveform, transcript: str | None) -> None:
    """A metric that needs the transcript is unfit without one."""
    metric = ReadingListener()
    record = score_input(clean_speech, clean_speech, transcript=transcript)

    (row,) = stage_of(metric).process([record])

    assert (row.status, row.reason) == (Status.UNFIT, Reason.NO_TRANSCRIPT)
    assert outcomes(row) == [(Status.UNFIT, Reason.NO_TRANSCRIPT)]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_never_stored(clean_speech: Waveform, bad: float) -> None:
    """NaN becomes a reason; the other output of the same metric keeps its value."""
    metric = TwoNumbers().answering(lambda _: {"left": bad, "right": 2.0})

    (row,) = stage_of(metric).process([score_input(clean_speech, clean_speech)])

    left, right = row.takes[0].scores
    assert (left.status, left.reason, left.value) == (Status.FAILED, Reason.NOT_FINITE, None)
    assert right.value == 2.0
    assert row.is_ok


def test_a_reason_is_told_apart_from_a_fault(clean_speech: Waveform) -> None:
    """What the metric finds unfit is unfit; what is neither is failed, with the class of the exception."""

    def answer(comparison: Comparison) -> Answer:
        if quiet(comparison):
            return Outcome(status=Status.UNFIT, reason=Reason.TOO_SHORT, detail="why")
        raise ZeroDivisionError("secret/path")

    stage = stage_of(Listener().answering(answer))

    (row,) = stage.process([score_input(clean_speech, clean_speech.scale(0.01), clean_speech)])

    assert outcomes(row) == [(Status.UNFIT, Reason.TOO_SHORT), (Status.FAILED, Reason.ERROR)]
    assert [take.scores[0].detail for take in row.takes] == ["why", "ZeroDivisionError"]
    assert (row.status, row.reason) == (Status.FAILED, Reason.ERROR)


def test_a_batch_that_raises_is_tried_one_by_one(clean_speech: Waveform) -> None:
    """One bad comparison costs the others nothing."""

    def answer(comparison: Comparison) -> Answer:
        if quiet(comparison):
            raise ValueError("secret/path")
        return {"": 3.0}

    metric = Listener().answering(answer)
    records = [
        score_input(clean_speech, clean_speech, clean_speech.scale(0.01), name="a"),
        score_input(clean_speech, clean_speech, name="b"),
    ]

    first, second = stage_of(metric).process(records)

    assert metric.batch_sizes == [3, 1, 1, 1]
    assert outcomes(first) == [(Status.OK, None), (Status.FAILED, Reason.ERROR)]
    assert second.takes[0].scores[0].value == 3.0


def test_what_the_next_record_would_meet_too_goes_up(clean_speech: Waveform) -> None:
    """The run stops; no row is made up."""

    def answer(_: Comparison) -> Answer:
        raise RunError("CUDA lost")

    with pytest.raises(RunError):
        stage_of(Listener().answering(answer)).process([score_input(clean_speech, clean_speech)])


def test_takes_without_audio_are_skipped(clean_speech: Waveform) -> None:
    """A duplicate says so, a take that failed has no value upstream, and neither reaches the metric."""
    takes = [
        Take(take=0, audio=encode_flac(clean_speech)),
        without_audio(1, Reason.DUPLICATE_TAKE),
        without_audio(2, Reason.NO_VALUE_UPSTREAM),
    ]
    metric = Listener()

    (row,) = stage_of(metric).process([with_takes(clean_speech, takes)])

    assert len(metric.heard) == 1
    assert outcomes(row) == [
        (Status.OK, None),
        (Status.SKIPPED, Reason.DUPLICATE_TAKE),
        (Status.SKIPPED, Reason.NO_VALUE_UPSTREAM),
    ]


def test_a_row_without_any_audio_is_skipped(clean_speech: Waveform) -> None:
    """Nothing upstream, nothing here, and the metric is not called."""
    metric = Listener()

    (row,) = stage_of(metric).process(
        [with_takes(clean_speech, [without_audio(0, Reason.NO_VALUE_UPSTREAM)])]
    )

    assert (row.status, row.reason) == (Status.SKIPPED, Reason.NO_VALUE_UPSTREAM)
    assert metric.batch_sizes == []


def test_a_row_without_value_has_an_entry_for_each_take(clean_speech: Waveform) -> None:
    """Nothing is lost without it showing."""
    crashed = Outcome(status=Status.FAILED, reason=Reason.CRASHED, detail="twice")

    row = stage_of(TwoNumbers()).without_value(score_input(clean_speech, clean_speech, clean_speech), crashed)

    assert (row.id, row.status, row.reason, row.detail) == ("a", Status.FAILED, Reason.CRASHED, "twice")
    assert [len(take.scores) for take in row.takes] == [2, 2]
    assert outcomes(row) == [(Status.FAILED, Reason.CRASHED)] * 2


def test_an_output_that_is_not_given_has_a_reason_of_its_own() -> None:
    """A metric that forgets one of its outputs loses that one alone, and not as if it were NaN."""
    first_alone = {next(iter(TwoNumbers.outputs)): 1.0}
    stage = ScoreStage("two", TwoNumbers().answering(lambda _: first_alone), AudioCache())
    clean = speech_like(1.0)

    (row,) = stage.process([score_input(clean, noisy(clean, 10.0))])

    first, second = row.takes[0].scores
    assert (first.value, second.value, second.reason) == (1.0, None, Reason.ERROR)
