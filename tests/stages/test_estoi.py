"""ESTOI: its ends, its randomness, and what pystoi would make up."""

import numpy as np
import pytest

from schemas import Reason, RecordError
from stages.metrics.base import Comparison, Measured, Unmeasured
from stages.metrics.estoi import Estoi
from stages.resampling import resample
from stages.waveform import Waveform
from tests.speech_like import noisy, speech_like


@pytest.fixture(scope="module")
def metric() -> Estoi:
    """Return the loaded metric."""
    metric = Estoi()
    metric.load("cpu")
    return metric


def scored(metric: Estoi, candidate: Waveform, clean: Waveform) -> Measured | Unmeasured:
    """Return the result for recordings at any rate."""
    rate = metric.sample_rate
    (result,) = metric.score([Comparison(resample(candidate, rate), resample(clean, rate))])
    return result


def test_a_perfect_copy_gets_one(metric: Estoi) -> None:
    """The scale ends at 1."""
    clean = speech_like()

    assert scored(metric, clean, clean) == {"": pytest.approx(1.0, abs=1e-6)}


def test_agrees_with_pystoi_at_the_recordings_rate(metric: Estoi) -> None:
    """Resampling before pystoi, once for all, moves the value by less than a tenth of its noise floor."""
    import pystoi  # noqa: PLC0415

    clean = speech_like()
    candidate = noisy(clean, 5.0)

    expected = pystoi.stoi(clean.samples, candidate.samples, 16_000, extended=True)

    assert scored(metric, candidate, clean) == {"": pytest.approx(expected, abs=0.0005)}


def test_leaves_the_global_generator_alone(metric: Estoi) -> None:
    """What others draw from numpy does not depend on a score in between, nor the reverse."""
    clean = speech_like()
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.standard_normal(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002

    first = scored(metric, noisy(clean, 5.0), clean)
    drawn = np.random.standard_normal(3)  # noqa: NPY002
    second = scored(metric, noisy(clean, 5.0), clean)

    np.testing.assert_array_equal(drawn, expected)
    assert first == second


def test_too_little_speech_is_a_reason(metric: Estoi) -> None:
    """Where pystoi warns and returns 0.00001, there is no value."""
    clean = speech_like(0.2)
    padded = clean.with_samples(np.concatenate([clean.samples, np.zeros(16_000, dtype=np.float32)]))

    result = scored(metric, padded, padded)

    assert isinstance(result, Unmeasured)
    assert isinstance(result.error, RecordError)
    assert result.error.reason is Reason.TOO_SHORT
