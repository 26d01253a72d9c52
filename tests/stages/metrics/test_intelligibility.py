"""STOI and ESTOI: the numbers of pystoi, without what pystoi draws and makes up."""

import numpy as np
import pytest

from schemas import Outcome, Reason
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics.common.intelligibility import Intelligibility
from stages.metrics.estoi import Estoi
from stages.metrics.stoi import Stoi
from stages.operators.metric import Comparison, Measured
from tests.support.speech_like import noisy, speech_like


@pytest.fixture(params=[Stoi, Estoi])
def metric(request: pytest.FixtureRequest) -> Intelligibility:
    """Return each of the two."""
    metric: Intelligibility = request.param()
    return metric


def scored(metric: Intelligibility, candidate: Waveform, clean: Waveform) -> Measured | Outcome:
    """Return the result for recordings at any rate."""
    rate = metric.sample_rate
    (result,) = metric.score([Comparison(resample(candidate, rate), resample(clean, rate))])
    return result


def by_pystoi(metric: Intelligibility, candidate: Waveform, clean: Waveform) -> float:
    """Return what pystoi gives, at the rate of the recordings."""
    import pystoi  # noqa: PLC0415

    sides = clean.samples.astype(np.float64), candidate.samples.astype(np.float64)
    return float(pystoi.stoi(*sides, clean.sample_rate, extended=isinstance(metric, Estoi)))


def test_a_perfect_copy_gets_one(metric: Intelligibility) -> None:
    """The scale ends at 1."""
    clean = speech_like()

    assert scored(metric, clean, clean) == {"": pytest.approx(1.0, abs=1e-12)}


@pytest.mark.parametrize("snr_db", [-10.0, 5.0, 20.0])
@pytest.mark.parametrize("seconds", [0.9, 12.3])
def test_gives_the_numbers_of_pystoi(metric: Intelligibility, snr_db: float, seconds: float) -> None:
    """At 10 kHz, where pystoi does not resample, to twelve digits."""
    clean = resample(speech_like(seconds), 10_000)
    candidate = noisy(clean, snr_db)

    assert scored(metric, candidate, clean) == {
        "": pytest.approx(by_pystoi(metric, candidate, clean), abs=1e-12)
    }


def test_agrees_with_pystoi_at_the_recordings_rate(metric: Intelligibility) -> None:
    """Resampling once for all, by soxr, moves the value by less than a tenth of its noise floor."""
    clean = speech_like()
    candidate = noisy(clean, 5.0)

    assert scored(metric, candidate, clean) == {
        "": pytest.approx(by_pystoi(metric, candidate, clean), abs=0.0005)
    }


def test_draws_nothing(metric: Intelligibility) -> None:
    """Where pystoi draws from numpy's global generator, and so moves what others draw, nothing is drawn."""
    clean = speech_like()
    before = np.random.get_state()[1].tobytes()  # type: ignore[index,union-attr]  # noqa: NPY002

    scored(metric, noisy(clean, 5.0), clean)

    assert np.random.get_state()[1].tobytes() == before  # type: ignore[index,union-attr]  # noqa: NPY002


def test_bands_that_are_silent_add_nothing(metric: Intelligibility) -> None:
    """Bands without any sound neither fail nor count; pystoi fills them with random numbers."""
    clean = resample(speech_like(), 10_000)
    spectrum = np.fft.rfft(clean.samples)
    spectrum[round(2_000 * clean.duration_s) :] = 0.0
    narrow = clean.with_samples(np.fft.irfft(spectrum, clean.samples.size))

    result = scored(metric, noisy(narrow, 20.0), narrow)

    assert not isinstance(result, Outcome)
    assert 0.0 < result[""] < 1.0


def test_too_little_speech_is_a_reason(metric: Intelligibility) -> None:
    """Where pystoi warns and returns 0.00001, there is no value."""
    clean = speech_like(0.2)
    padded = clean.with_samples(np.concatenate([clean.samples, np.zeros(16_000, dtype=np.float32)]))

    result = scored(metric, padded, padded)

    assert isinstance(result, Outcome)
    assert result.reason is Reason.TOO_SHORT
