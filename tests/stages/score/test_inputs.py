"""What the score stage looks at before a metric hears anything: rates, lengths and lag, as stored."""

import numpy as np
import pytest

from schemas import Reason, Status
from stages.audio.cache import AudioCache
from stages.audio.waveform import Waveform
from stages.metrics import METRICS
from stages.score.stage import ScoreStage
from tests.support.score_inputs import score_input
from tests.support.speech_like import noisy, speech_like


def stage_of(kind: str) -> ScoreStage:
    """Return a stage with a cache of its own."""
    stage = ScoreStage(kind, METRICS[kind](), AudioCache())
    stage.load("cpu")
    return stage


def late(waveform: Waveform, delay: int) -> Waveform:
    """Return as many samples, each ``delay`` later; earlier if that is negative."""
    return waveform.with_samples(np.roll(waveform.samples, delay))


@pytest.mark.parametrize("delay", [0, 1, 40, -17])
@pytest.mark.parametrize("kind", ["si_sdr", "stoi"])
def test_the_lag_is_in_the_row(kind: str, delay: int) -> None:
    """At the recording's rate, whatever rate the metric hears: a low score then has its reason beside it."""
    clean = speech_like(2.0, sample_rate=24_000)

    (row,) = stage_of(kind).process([score_input(clean, late(noisy(clean, 10.0), delay))])

    assert row.is_ok
    assert row.takes[0].lag_samples == delay


def test_who_needs_no_reference_looks_for_no_lag() -> None:
    """PLCMOS never hears the clean speech."""
    clean = speech_like(2.0)

    (row,) = stage_of("plcmos").process([score_input(clean, late(clean, 40))])

    assert row.takes[0].lag_samples == 0


@pytest.mark.parametrize("kind", ["si_sdr", "stoi"])
def test_another_rate_is_a_fault(kind: str) -> None:
    """Also for a metric that would have both at one rate of its own."""
    candidate = Waveform(speech_like(2.0, sample_rate=24_000).samples, 48_000)
    clean = Waveform(candidate.samples, 24_000)

    (row,) = stage_of(kind).process([score_input(clean, candidate)])

    assert (row.status, row.reason) == (Status.FAILED, Reason.WRONG_SHAPE)
    assert "48000 Hz" in (row.detail or "")


def test_lengths_are_compared_as_stored() -> None:
    """Three samples more at 48 kHz are a fault, though at 10 kHz one would be left of them."""
    clean = speech_like(1.0, sample_rate=48_000)
    longer = clean.with_samples(np.append(clean.samples, np.zeros(3)))

    (row,) = stage_of("stoi").process([score_input(clean, longer)])

    assert (row.status, row.reason) == (Status.FAILED, Reason.WRONG_SHAPE)
