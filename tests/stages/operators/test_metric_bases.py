"""Metrics that hear the candidate alone: blocks of long recordings, and ten minutes of them."""

import math
from pathlib import Path

import numpy as np
import pytest

from schemas import Outcome
from stages.audio.waveform import Waveform
from stages.operators.metric import Comparison
from stages.operators.metric_bases import split_equally
from tests.support.speech_like import noisy, speech_like
from tests.support.tiny_metrics import lawful_metric


@pytest.mark.parametrize(("size", "lengths"), [(1, [1]), (10, [10]), (11, [6, 5]), (31, [8, 8, 8, 7])])
def test_blocks_are_as_few_and_as_equal_as_can_be(size: int, lengths: list[int]) -> None:
    """Nothing is lost, and none is longer than allowed."""
    row = np.arange(size, dtype=np.float32)

    blocks = split_equally(row, 10)

    assert [len(block) for block in blocks] == lengths
    np.testing.assert_array_equal(np.concatenate(blocks), row)


def test_without_a_limit_there_is_one_block() -> None:
    """An hour is one block if the network can hold it."""
    assert len(split_equally(np.zeros(1_000, np.float32), math.inf)) == 1


@pytest.mark.parametrize("kind", ["nisqa", "squim_mos", "utmos", "vqscore"])
def test_hears_ten_minutes(kind: str, tmp_path: Path) -> None:
    """Ten minutes have a score like any other; PLCMOS and SQUIM differ only in the time they take."""
    metric = lawful_metric(kind, tmp_path)
    metric.load("cpu")
    rate = metric.sample_rate or 16_000
    long = Waveform(np.tile(speech_like(20.0, sample_rate=rate).samples, 30), rate)

    (values,) = metric.score([Comparison(long, long)])

    assert not isinstance(values, Outcome), values
    assert all(math.isfinite(value) for value in values.values())


@pytest.mark.parametrize(
    "kind", ["distill_mos", "ge2e_speaker_similarity", "nisqa", "plcmos", "speech_bert_score", "utmos"]
)
def test_parts_of_long_recordings_find_back_when_heard_together(kind: str, tmp_path: Path) -> None:
    """Each recording gets its own parts again, to 1e-3 what it scores alone."""
    metric = lawful_metric(kind, tmp_path)
    metric.load("cpu")
    rate = metric.sample_rate or 16_000
    clean = [speech_like(seconds, pitch_hz=90.0 + seconds, sample_rate=rate) for seconds in (61.0, 1.0, 31.0)]
    comparisons = [Comparison(noisy(each, 5.0), each) for each in clean]

    together = metric.score_together(comparisons)

    for result, alone in zip(together, metric.score(comparisons), strict=True):
        assert not isinstance(alone, Outcome)
        assert result == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize("kind", ["plcmos", "squim", "utmos"])
def test_silent_blocks_have_no_opinion(kind: str, tmp_path: Path) -> None:
    """A minute that is silent after 30 s is worth what is heard before."""
    metric = lawful_metric(kind, tmp_path)
    metric.load("cpu")
    spoken = speech_like(30.0)
    padded = spoken.with_samples(np.pad(spoken.samples, (0, spoken.samples.size)))

    alone, followed = metric.score([Comparison(each, each) for each in (spoken, padded)])

    assert not isinstance(alone, Outcome)
    assert followed == alone
