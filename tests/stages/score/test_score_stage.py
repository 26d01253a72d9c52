"""The score stage: what a metric is given."""

from collections.abc import Callable

import numpy as np
import pytest

from stages.audio.cache import AudioCache
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.metrics.si_sdr import SiSdr
from stages.score.stage import ScoreStage
from tests.support.score_inputs import score_input
from tests.support.scripted_metrics import (
    LevelListener,
    Listener,
    ReadingListener,
    TogetherListener,
    stage_of,
)
from tests.support.speech_like import noisy, speech_like


def test_all_takes_of_several_records_are_one_call(clean_speech: Waveform) -> None:
    """A batch reaches the metric whole, and its values come back in order."""
    metric = Listener()
    metric.answering(lambda _: {"": float(len(metric.batch_sizes))})
    records = [score_input(clean_speech, clean_speech, clean_speech, name=name) for name in "ab"]

    rows = stage_of(metric).process(records)

    assert metric.batch_sizes == [4]
    assert [row.id for row in rows] == ["a", "b"]


@pytest.mark.parametrize(("device", "together"), [("cpu", 0), ("cuda:1", 1)])
def test_a_gpu_is_asked_for_several_together(device: str, together: int, clean_speech: Waveform) -> None:
    """On a CPU no score depends on its neighbours: there each is heard alone."""
    metric = TogetherListener()
    stage = stage_of(metric)
    stage.load(device)

    stage.process([score_input(clean_speech, clean_speech, clean_speech)])

    assert (len(metric.together), metric.batch_sizes) == (together, [2])


def test_long_takes_are_held_ready_a_few_at_a_time() -> None:
    """Sixteen takes of ten minutes at 48 kHz would be two gigabytes at once; rows and order stay."""
    metric = Listener()
    metric.answering(lambda comparison: {"": float(comparison.candidate.samples[0])})
    clean = Waveform(np.full(500 * 1_000, 0.1, np.float32), 1_000)
    takes = [clean.with_samples(np.full_like(clean.samples, level)) for level in (0.25, 0.5, 0.125, 0.0625)]

    rows = stage_of(metric).process([score_input(clean, *takes), score_input(clean, takes[0], name="b")])

    assert metric.batch_sizes == [2, 2, 1]
    found = [[score.value for take in row.takes for score in take.scores] for row in rows]
    assert found == [[0.25, 0.5, 0.125, 0.0625], [0.25]]


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
    record = score_input(clean_speech, clean_speech.scale(0.1), clean_speech.scale(0.01))

    (matched,) = stage_of(LevelListener()).process([record])
    (as_stored,) = stage_of(Listener()).process([record])

    louder, quieter = matched.takes
    assert quieter.gain_db - louder.gain_db == pytest.approx(20.0, abs=0.01)
    assert louder.gain_db - louder.clean_gain_db == pytest.approx(20.0, abs=0.01)
    assert [(take.gain_db, take.clean_gain_db) for take in as_stored.takes] == [(0.0, 0.0)] * 2


def test_other_metrics_hear_what_is_stored(clean_speech: Waveform) -> None:
    """Without a need for level, DC or rate, the metric gets the stored samples."""
    metric = Listener()

    stage_of(metric).process([score_input(clean_speech, clean_speech)])

    np.testing.assert_allclose(metric.heard[0].candidate.samples, clean_speech.samples, atol=2**-24)


def test_the_words_reach_the_metric(clean_speech: Waveform) -> None:
    """The recipe's transcript is part of the comparison."""
    metric = ReadingListener()

    stage_of(metric).process([score_input(clean_speech, clean_speech, transcript="hello")])

    assert metric.heard[0].transcript == "hello"


class CountingCache(AudioCache):
    """One that says what was made, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.made_names: list[tuple[str, ...]] = []

    def get(self, name: tuple[str, ...], make: Callable[[], Waveform]) -> Waveform:
        """Note what ``make`` is called for."""

        def noted() -> Waveform:
            self.made_names.append(name)
            return make()

        return super().get(name, noted)


def test_metrics_share_what_was_decoded_and_resampled(clean_speech: Waveform) -> None:
    """Each recording is decoded once and resampled once per rate, however many metrics hear it."""
    cache = CountingCache()
    record = score_input(clean_speech, noisy(clean_speech, 10.0), noisy(clean_speech, 0.0))
    metrics = (Listener(), LevelListener(rate=10_000), LevelListener(rate=10_000))

    for metric in metrics:
        ScoreStage("m", metric, cache).process([record])

    decoded = [name for name in cache.made_names if len(name) == 1]
    resampled = [name for name in cache.made_names if name[-1] == "10000"]
    assert len(decoded) == len(resampled) == 3
    assert len(set(cache.made_names)) == len(cache.made_names)


def test_a_small_memory_changes_nothing(clean_speech: Waveform) -> None:
    """What is remembered is only a cache: rows are equal with room for one waveform."""
    records = [
        score_input(clean_speech, noisy(clean_speech, snr_db), name=str(snr_db)) for snr_db in (0.0, 9.0)
    ]

    roomy = ScoreStage("m", SiSdr(), AudioCache()).process(records)
    cramped = ScoreStage("m", SiSdr(), AudioCache(max_bytes=1)).process(records)

    assert roomy == cramped
