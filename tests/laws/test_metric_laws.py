"""Laws that every metric obeys, whoever writes it. A new one is tested by existing."""

import math
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from schemas import Outcome, Reason, Status
from stages.audio.cache import AudioCache
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics import METRICS, Metric
from stages.operators.metric import Better, Comparison, Measured
from stages.operators.rng import rng_for
from stages.score.stage import ScoreStage
from tests.support.score_inputs import score_input
from tests.support.speech_like import noisy, speech_like
from tests.support.tiny_metrics import is_trained, lawful_metric

LADDER_DB = (25.0, 15.0, 5.0)
RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)


@pytest.fixture(scope="module", params=list(METRICS))
def metric(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Metric:
    """Return each registered metric, loaded, with its default settings or small random weights."""
    metric = lawful_metric(request.param, tmp_path_factory.mktemp(request.param))
    metric.load("cpu")  # without weights of its own it needs a maker in tests/support/tiny_metrics.py
    return metric


@pytest.fixture(scope="module")
def stage(metric: Metric) -> ScoreStage:
    """Return the stage around the metric, in a process of its own if it asks for one."""
    stage = ScoreStage(metric.kind, metric, AudioCache())
    stage.load("cpu")
    return stage


def rate_of(metric: Metric) -> int:
    """Return a rate that the metric works at."""
    return metric.sample_rate or 16_000


def compared(metric: Metric, candidate: Waveform, clean: Waveform) -> Comparison:
    """Return both at the metric's rate, with the words that a transcript would give."""
    rate = rate_of(metric)
    return Comparison(resample(candidate, rate), resample(clean, rate), "the words that were said")


def measured(metric: Metric, comparison: Comparison) -> Measured:
    """Return the values of one comparison, which must have some."""
    (values,) = metric.score([comparison])
    assert not isinstance(values, Outcome), values
    return values


def advantage(metric: Metric, suffix: str, left: Measured, right: Measured) -> float:
    """Return by how much ``left`` is better than ``right``."""
    sign = 1.0 if metric.outputs[suffix].better is Better.HIGHER else -1.0
    return sign * (left[suffix] - right[suffix])


def test_noise_makes_it_worse(metric: Metric) -> None:
    """On a coarse ladder of falling SNR, each output that may vote falls by more than its noise floor."""
    if not is_trained(metric.kind):
        pytest.skip("random weights have no opinion")
    clean = speech_like()

    ladder = [measured(metric, compared(metric, noisy(clean, snr_db), clean)) for snr_db in LADDER_DB]

    for suffix, output in metric.outputs.items():
        if output.votes:
            steps = [advantage(metric, suffix, *pair) for pair in pairwise(ladder)]
            assert min(steps) > output.noise_floor, (suffix, ladder)


def test_what_it_gives_is_what_it_declares(metric: Metric) -> None:
    """Every output has a value inside the stated range, for a good candidate and for a bad one.

    Of the bad one a metric may say that it has nothing to measure.
    """
    clean = speech_like()

    perfect = measured(metric, compared(metric, clean, clean))
    (awful,) = metric.score([compared(metric, noisy(clean, -5.0), clean)])

    for values in (perfect, awful):
        if isinstance(values, Outcome):
            assert values.status is Status.UNFIT
            continue
        assert set(values) == set(metric.outputs)
        assert all(math.isfinite(value) for value in values.values())
        if is_trained(metric.kind):  # random weights keep to no scale
            assert outside(metric, values) == {}


def outside(metric: Metric, values: Measured) -> dict[str, float]:
    """Return the values that are beyond their declared range."""
    ranges = {
        suffix: (
            -math.inf if output.low is None else output.low,
            math.inf if output.high is None else output.high,
        )
        for suffix, output in metric.outputs.items()
    }
    return {
        suffix: value
        for suffix, value in values.items()
        if not ranges[suffix][0] <= value <= ranges[suffix][1]
    }


@pytest.mark.parametrize("gain_db", [-20.0, 20.0])
def test_louder_is_not_better(stage: ScoreStage, gain_db: float) -> None:
    """Through the stage, 20 dB more or less move no score by 0.01."""
    clean = speech_like()
    quiet = noisy(clean, 15.0).scale(0.1)
    candidates = quiet, quiet.scale(10.0 ** (gain_db / 20.0))
    record = score_input(clean, *candidates, transcript="the words that were said")

    (row,) = stage.process([record])

    assert row.is_ok, row
    before, after = ([score.value for score in take.scores] for take in row.takes)
    assert before == pytest.approx(after, abs=0.01)


@pytest.mark.parametrize("awkward", ["silence", "short", "shorter", "nan", "dc", "click"])
def test_never_invents_a_number(metric: Metric, awkward: str) -> None:
    """Whatever it is given on either side, there is a finite value or a reason, and no exception."""
    rate = rate_of(metric)
    odd = awkward_signals(rate)[awkward]
    speech = Waveform(speech_like(1.0, sample_rate=rate).samples[: odd.samples.size], rate)

    results = metric.score(
        [Comparison(odd, speech, "one"), Comparison(speech, odd, "two"), Comparison(odd, odd, "three")]
    )

    assert len(results) == 3
    assert all(map(is_value_or_reason, results))


def test_silence_has_no_value(metric: Metric) -> None:
    """A silent candidate gets a reason, never a number."""
    speech = speech_like(1.0, sample_rate=rate_of(metric))
    silence = speech.with_samples(np.zeros_like(speech.samples))

    (result,) = metric.score([Comparison(silence, speech, "the words that were said")])

    assert isinstance(result, Outcome)
    assert not result.is_ok


def test_a_constant_is_silence(stage: ScoreStage) -> None:
    """Through the stage, a candidate of DC alone has a reason: no resampler's clicks are heard in it."""
    clean = speech_like(1.0, sample_rate=44_100)
    constant = clean.with_samples(np.full_like(clean.samples, 0.1))

    (row,) = stage.process([score_input(clean, constant, transcript="the words that were said")])

    assert all(score.value is None and score.reason is Reason.SILENT for score in row.takes[0].scores)


def test_hears_a_minute(metric: Metric) -> None:
    """Sixty seconds give a value or a reason."""
    clean = speech_like(60.0)

    (result,) = metric.score([compared(metric, noisy(clean, 10.0), clean)])

    assert is_value_or_reason(result)


def test_hears_ten_minutes(metric: Metric) -> None:
    """So do ten minutes of which most are a pause, in which a microphone hisses."""
    rate = rate_of(metric)
    clean = speech_like(10.0, sample_rate=rate)
    hiss = rng_for(0, "hiss").standard_normal(600 * rate).astype(np.float32)
    spoken, heard = np.float32(3e-5) * hiss, np.float32(1e-4) * hiss
    spoken[: clean.samples.size] += clean.samples
    heard[: clean.samples.size] += clean.samples

    (result,) = metric.score([Comparison(Waveform(heard, rate), Waveform(spoken, rate), "the words")])

    assert is_value_or_reason(result)


def is_value_or_reason(result: Measured | Outcome) -> bool:
    """Say whether all values are finite, or there is a reason for their lack."""
    if isinstance(result, Outcome):
        return not result.is_ok
    return all(math.isfinite(value) for value in result.values())


@pytest.mark.parametrize("sample_rate", RATES)
def test_takes_recordings_of_any_rate(stage: ScoreStage, sample_rate: int) -> None:
    """Through the stage, recordings at all usual rates have scores."""
    clean = speech_like(1.5, sample_rate=sample_rate)
    record = score_input(clean, noisy(clean, 10.0), transcript="the words that were said")

    (row,) = stage.process([record])

    assert row.is_ok, row
    assert all(score.value is not None for score in row.takes[0].scores)


@pytest.mark.parametrize("sample_rate", RATES)
def test_odd_recordings_of_any_rate_have_a_value_or_a_reason(stage: ScoreStage, sample_rate: int) -> None:
    """On either side silence, a constant, a click and a tenth of a second break nothing in the stage."""
    odd = awkward_signals(sample_rate)
    speech = speech_like(1.0, sample_rate=sample_rate)
    records = [
        score_input(speech, odd["silence"], odd["dc"], odd["click"], transcript="the words"),
        score_input(odd["dc"], speech, transcript="the words"),
        score_input(odd["click"], speech, transcript="the words"),
        score_input(odd["short"], noisy(odd["short"], 10.0), transcript="the words"),
        score_input(odd["shorter"], odd["shorter"], transcript="the words"),
    ]

    scores = [score for row in stage.process(records) for take in row.takes for score in take.scores]

    without_value = {(score.name, score.reason) for score in scores if score.value is None}
    assert {reason for _, reason in without_value} <= {Reason.SILENT, Reason.TOO_SHORT, Reason.NOT_FINITE}
    assert all(math.isfinite(score.value) for score in scores if score.value is not None)


def test_neighbours_change_nothing(metric: Metric) -> None:
    """A score is bit for bit the same alone, first, last, and after any other."""
    voices = [
        speech_like(seconds, pitch_hz=hertz) for seconds, hertz in ((2.0, 120.0), (1.2, 210.0), (1.6, 95.0))
    ]
    comparisons = [compared(metric, noisy(voice, 10.0), voice) for voice in voices]

    alone = [measured(metric, comparison) for comparison in comparisons]

    assert list(metric.score(comparisons)) == alone
    assert list(metric.score(comparisons[::-1])) == alone[::-1]


def test_several_heard_together_score_the_same(metric: Metric) -> None:
    """As a GPU is asked, but on the CPU: to 1e-3 what each scores alone; silence keeps its reason."""
    if type(metric).score_together is Metric.score_together:
        pytest.skip("hears one after the other everywhere")
    voices = [speech_like(seconds, pitch_hz=110.0 + 20.0 * seconds) for seconds in (2.0, 1.2)]
    pairs = [(noisy(voice, snr_db), voice) for voice in voices for snr_db in (10.0, 0.0)]
    silence = voices[0].with_samples(np.zeros_like(voices[0].samples))
    comparisons = [compared(metric, *pair) for pair in [*pairs[:3], (silence, voices[0]), *pairs[3:]]]

    together = metric.score_together(comparisons)

    for result, alone in zip(together, metric.score(comparisons), strict=True):
        assert result == alone or result == pytest.approx(alone, abs=1e-3)
    assert isinstance(together[3], Outcome)
    assert list(metric.score_together([])) == []


def test_leaves_its_input_alone(metric: Metric) -> None:
    """Neither side is written to."""
    clean = speech_like(1.0)
    comparison = compared(metric, noisy(clean, 10.0), clean)
    before = comparison.candidate.samples.tobytes(), comparison.clean.samples.tobytes()

    metric.score([comparison])

    assert (comparison.candidate.samples.tobytes(), comparison.clean.samples.tobytes()) == before


@pytest.mark.parametrize("kind", list(METRICS))
def test_travels_to_a_worker(kind: str, tmp_path: Path) -> None:
    """Before it is loaded it pickles to an equal value, and its spec builds it again."""
    metric = lawful_metric(kind, tmp_path)

    assert pickle.loads(pickle.dumps(metric)) == metric
    assert METRICS.build(metric.spec) == metric


def awkward_signals(rate: int) -> dict[str, Waveform]:
    """Return what metrics trip over."""
    short, shorter = (speech_like(1.0, sample_rate=rate).samples[: round(rate * s)] for s in (0.1, 0.01))
    click = np.zeros(rate)
    click[rate // 2] = 0.9
    signals = {
        "silence": np.zeros(rate),
        "short": short,
        "shorter": shorter,
        "nan": np.full(rate, np.nan),
        "dc": np.full(rate, 0.1),
        "click": click,
    }
    return {name: Waveform(samples.astype(np.float32), rate) for name, samples in signals.items()}
