"""The score stage: what a metric is given, and how its answers become rows."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import pytest
from pydantic import PrivateAttr

from schemas import Outcome, Reason, RunError, Scored, Status, Take, UnfitError
from stages.active_level import active_level_db
from stages.audio_memory import AudioMemory
from stages.flac import encode
from stages.metrics.base import Aspect, Better, Comparison, Measured, Metric, Output, Unmeasured
from stages.metrics.si_sdr import SiSdr
from stages.score import ScoreStage
from stages.waveform import Waveform
from tests.score_inputs import score_input, with_takes, without_audio
from tests.speech_like import noisy, speech_like

QUALITY = Output(aspect=Aspect.PERCEPTUAL_QUALITY, better=Better.HIGHER)
Answer = Measured | Unmeasured


class Listener(Metric):
    """Keeps what it was given, and answers each comparison as it is told to."""

    kind: ClassVar[str] = "listener"
    outputs: ClassVar = {"": QUALITY}
    rate: int | None = None

    _heard: list[Sequence[Comparison]] = PrivateAttr(default_factory=list)
    _answers: list[Callable[[Comparison], Answer]] = PrivateAttr(default_factory=list)

    @property
    def sample_rate(self) -> int | None:
        """Whatever it is told."""
        return self.rate

    def answering(self, answer: Callable[[Comparison], Answer]) -> "Listener":
        """Return itself, from now on answering by ``answer``."""
        self._answers.append(answer)
        return self

    @property
    def heard(self) -> list[Comparison]:
        """Everything it was given, in order."""
        return [comparison for batch in self._heard for comparison in batch]

    @property
    def batch_sizes(self) -> list[int]:
        """How many comparisons came together."""
        return [len(batch) for batch in self._heard]

    def score(self, batch: Sequence[Comparison]) -> Sequence[Answer]:
        """Answer each comparison."""
        self._heard.append(batch)
        return [self._answers[0](comparison) if self._answers else {"": 1.0} for comparison in batch]


class LevelListener(Listener):
    """One that depends on level and minds DC."""

    kind: ClassVar[str] = "level_listener"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True


class ReadingListener(Listener):
    """One that compares with what was said."""

    kind: ClassVar[str] = "reading_listener"
    needs_transcript: ClassVar[bool] = True


class TwoNumbers(Listener):
    """One that gives two numbers."""

    kind: ClassVar[str] = "two_numbers"
    outputs: ClassVar = {"left": QUALITY, "right": QUALITY}


@pytest.fixture
def clean_speech() -> Waveform:
    """Return a second of speech."""
    return speech_like(1.0)


def stage_of(metric: Metric, name: str = "m") -> ScoreStage:
    """Return a stage with a memory of its own."""
    return ScoreStage(name, metric, AudioMemory())


def outcomes(row: Scored) -> list[tuple[Status, Reason | None]]:
    """Return status and reason of each take's first score."""
    return [(take.scores[0].status, take.scores[0].reason) for take in row.takes]


def quiet(comparison: Comparison) -> bool:
    """Say whether the candidate was marked by being quiet."""
    return float(np.abs(comparison.candidate.samples).max()) < 0.05


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


def test_all_takes_of_several_records_are_one_call(clean_speech: Waveform) -> None:
    """A batch reaches the metric whole, and its values come back in order."""
    metric = Listener()
    metric.answering(lambda _: {"": float(len(metric.batch_sizes))})
    records = [score_input(clean_speech, clean_speech, clean_speech, name=name) for name in "ab"]

    rows = stage_of(metric).process(records)

    assert metric.batch_sizes == [4]
    assert [row.id for row in rows] == ["a", "b"]


def test_batches_hold_some_sixteen_comparisons(clean_speech: Waveform) -> None:
    """Records are never torn, and none is lost."""
    records = [score_input(clean_speech, *[clean_speech] * 6, name=str(number)) for number in range(7)]

    batches = list(stage_of(Listener()).batches(records))

    assert [len(batch) for batch in batches] == [2, 2, 2, 1]
    assert [record for batch in batches for record in batch] == records


def test_the_metric_hears_its_rate() -> None:
    """Both sides are at the metric's rate and of one length."""
    metric = Listener(rate=10_000)
    clean = speech_like(1.00003, sample_rate=48_000)

    stage_of(metric).process([score_input(clean, clean)])

    (comparison,) = metric.heard
    assert comparison.candidate.sample_rate == comparison.clean.sample_rate == 10_000
    assert comparison.candidate.samples.size == comparison.clean.samples.size


def test_one_sample_of_rounding_is_cut(clean_speech: Waveform) -> None:
    """A take that is one sample longer is heard without it."""
    metric = Listener()
    longer = clean_speech.with_samples(np.append(clean_speech.samples, 0.0))

    (row,) = stage_of(metric).process([score_input(clean_speech, longer)])

    assert row.is_ok
    assert metric.heard[0].candidate.samples.size == clean_speech.samples.size


def test_another_length_is_a_fault(clean_speech: Waveform) -> None:
    """Two samples more are not rounding: that take failed, its neighbour did not."""
    longer = clean_speech.with_samples(np.append(clean_speech.samples, [0.0, 0.0]))

    (row,) = stage_of(Listener()).process([score_input(clean_speech, longer, clean_speech)])

    assert outcomes(row) == [(Status.FAILED, Reason.WRONG_SHAPE), (Status.OK, None)]
    assert row.is_ok


def test_metrics_that_depend_on_level_hear_one_level(clean_speech: Waveform) -> None:
    """Both sides come at −26 dBFS active level, without DC."""
    metric = LevelListener()
    candidate = clean_speech.with_samples(0.1 * clean_speech.samples + 0.02)

    stage_of(metric).process([score_input(clean_speech, candidate)])

    (comparison,) = metric.heard
    for side in (comparison.candidate, comparison.clean):
        assert active_level_db(side.samples, side.sample_rate) == pytest.approx(-26.0, abs=0.1)
        assert float(np.mean(side.samples)) == pytest.approx(0.0, abs=1e-6)


def test_the_gains_to_that_level_are_in_the_row(clean_speech: Waveform) -> None:
    """Ten times louder on one side is 20 dB less gain there; metrics that mind no level have none."""
    record = score_input(clean_speech, clean_speech.scaled(0.1), clean_speech.scaled(0.01))

    (matched,) = stage_of(LevelListener()).process([record])
    (as_stored,) = stage_of(Listener()).process([record])

    louder, quieter = matched.takes
    assert quieter.gain_db - louder.gain_db == pytest.approx(20.0, abs=0.01)
    assert louder.gain_db - louder.clean_gain_db == pytest.approx(20.0, abs=0.01)
    assert [(take.gain_db, take.clean_gain_db) for take in as_stored.takes] == [(0.0, 0.0)] * 2


class CountingMemory(AudioMemory):
    """One that says what was made, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.made_names: list[tuple[str, ...]] = []

    def made(self, name: tuple[str, ...], make: Callable[[], Waveform]) -> Waveform:
        """Note what ``make`` is called for."""

        def noted() -> Waveform:
            self.made_names.append(name)
            return make()

        return super().made(name, noted)


def test_metrics_share_what_was_decoded_and_resampled(clean_speech: Waveform) -> None:
    """Each recording is decoded once and resampled once per rate, however many metrics hear it."""
    memory = CountingMemory()
    record = score_input(clean_speech, noisy(clean_speech, 10.0), noisy(clean_speech, 0.0))
    metrics = (Listener(), LevelListener(rate=10_000), LevelListener(rate=10_000))

    for metric in metrics:
        ScoreStage("m", metric, memory).process([record])

    decoded = [name for name in memory.made_names if len(name) == 1]
    resampled = [name for name in memory.made_names if name[-1] == "10000"]
    assert len(decoded) == len(resampled) == 3
    assert len(set(memory.made_names)) == len(memory.made_names)


class Hermit(Listener):
    """One that judges the candidate alone."""

    kind: ClassVar[str] = "hermit"
    needs_clean: ClassVar[bool] = False


def test_no_reference_is_a_reason_for_those_who_need_one(clean_speech: Waveform) -> None:
    """Without a clean reference a metric that needs one is unfit, and one that does not has its value."""
    record = score_input(clean_speech, clean_speech)
    lonely = dataclasses.replace(record, degraded=record.degraded.model_copy(update={"clean": None}))

    (unfit,) = stage_of(Listener()).process([lonely])
    (fine,) = stage_of(Hermit()).process([lonely])

    assert outcomes(unfit) == [(Status.UNFIT, Reason.NO_REFERENCE)]
    assert outcomes(fine) == [(Status.OK, None)]


def test_other_metrics_hear_what_is_stored(clean_speech: Waveform) -> None:
    """Without a need for level, DC or rate, the metric gets the stored samples."""
    metric = Listener()

    stage_of(metric).process([score_input(clean_speech, clean_speech)])

    np.testing.assert_allclose(metric.heard[0].candidate.samples, clean_speech.samples, atol=2**-24)


def test_silence_has_no_level(clean_speech: Waveform) -> None:
    """A silent take is unfit for a metric that needs a level, and says which side is meant."""
    silence = clean_speech.with_samples(np.zeros_like(clean_speech.samples))

    (row,) = stage_of(LevelListener()).process([score_input(clean_speech, silence, clean_speech)])

    assert outcomes(row) == [(Status.UNFIT, Reason.SILENT), (Status.OK, None)]
    assert row.takes[0].scores[0].detail == "candidate is silent"


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
    answers = {True: UnfitError(Reason.TOO_SHORT, "why"), False: ZeroDivisionError("secret/path")}
    metric = Listener().answering(lambda comparison: Unmeasured(answers[quiet(comparison)]))

    (row,) = stage_of(metric).process([score_input(clean_speech, clean_speech.scaled(0.01), clean_speech)])

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
        score_input(clean_speech, clean_speech, clean_speech.scaled(0.01), name="a"),
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
        Take(take=0, audio=encode(clean_speech)),
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


@pytest.mark.parametrize("transcript", [None, ""])
def test_without_words_there_is_no_vote_on_words(clean_speech: Waveform, transcript: str | None) -> None:
    """A metric that needs the transcript is unfit without one."""
    metric = ReadingListener()
    record = score_input(clean_speech, clean_speech, transcript=transcript)

    (row,) = stage_of(metric).process([record])

    assert (row.status, row.reason) == (Status.UNFIT, Reason.NO_TRANSCRIPT)
    assert outcomes(row) == [(Status.UNFIT, Reason.NO_TRANSCRIPT)]


def test_the_words_reach_the_metric(clean_speech: Waveform) -> None:
    """The recipe's transcript is part of the comparison."""
    metric = ReadingListener()

    stage_of(metric).process([score_input(clean_speech, clean_speech, transcript="hello")])

    assert metric.heard[0].transcript == "hello"


def test_a_row_without_value_has_an_entry_for_each_take(clean_speech: Waveform) -> None:
    """Nothing is lost without it showing."""
    crashed = Outcome(status=Status.FAILED, reason=Reason.CRASHED, detail="twice")

    row = stage_of(TwoNumbers()).without_value(score_input(clean_speech, clean_speech, clean_speech), crashed)

    assert (row.id, row.status, row.reason, row.detail) == ("a", Status.FAILED, Reason.CRASHED, "twice")
    assert [len(take.scores) for take in row.takes] == [2, 2]
    assert outcomes(row) == [(Status.FAILED, Reason.CRASHED)] * 2


def test_a_small_memory_changes_nothing(clean_speech: Waveform) -> None:
    """What is remembered is only a cache: rows are equal with room for one waveform."""
    records = [
        score_input(clean_speech, noisy(clean_speech, snr_db), name=str(snr_db)) for snr_db in (0.0, 9.0)
    ]

    roomy = ScoreStage("m", SiSdr(), AudioMemory()).process(records)
    cramped = ScoreStage("m", SiSdr(), AudioMemory(max_bytes=1)).process(records)

    assert roomy == cramped


def test_an_output_that_is_not_given_has_a_reason_of_its_own() -> None:
    """A metric that forgets one of its outputs loses that one alone, and not as if it were NaN."""
    first_alone = {next(iter(TwoNumbers.outputs)): 1.0}
    stage = ScoreStage("two", TwoNumbers().answering(lambda _: first_alone), AudioMemory())
    clean = speech_like(1.0)

    (row,) = stage.process([score_input(clean, noisy(clean, 10.0))])

    first, second = row.takes[0].scores
    assert (first.value, second.value, second.reason) == (1.0, None, Reason.ERROR)
