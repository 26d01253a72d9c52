"""ViSQOL: the package's number, at both rates, in parts where recordings are long."""

import sys
from pathlib import Path

import numpy as np
import pytest

from schemas import MissingWeightsError, Outcome, Reason
from stages.audio.waveform import Waveform
from stages.metrics.visqol import Visqol
from stages.operators.metric import Comparison
from tests.support.speech_like import noisy, speech_like


def loaded(mode: str) -> Visqol:
    """Return the metric, ready; skips where its package is not installed."""
    pytest.importorskip("visqol")
    metric = Visqol.model_validate({"mode": mode})
    metric.load("cpu")
    return metric


def value_of(metric: Visqol, candidate: Waveform, clean: Waveform) -> float:
    """Return the value of one comparison, which must have one."""
    (found,) = metric.score([Comparison(candidate, clean)])
    assert not isinstance(found, Outcome), found
    return found[""]


@pytest.mark.parametrize(("mode", "rate"), [("speech", 16_000), ("audio", 48_000)])
def test_is_the_number_of_the_package(mode: str, rate: int) -> None:
    """Of what is not cut it is that alone; each mode has its rate."""
    metric = loaded(mode)
    from visqol import VisqolApi  # noqa: PLC0415 - optional

    api = VisqolApi()
    api.create(mode=mode, use_lattice_model=False)
    clean = speech_like(1.5, sample_rate=rate)
    candidate = noisy(clean, 15.0)

    expected = api.measure_from_arrays(
        clean.samples.astype(np.float64), candidate.samples.astype(np.float64), rate
    ).moslqo

    assert metric.sample_rate == rate
    assert metric.hears_full_band == (mode == "audio")
    assert value_of(metric, candidate, clean) == expected
    assert 1.0 <= value_of(metric, candidate, clean) < value_of(metric, clean, clean) <= 5.0


def test_audio_hears_what_speech_does_not() -> None:
    """A band over 10 kHz that is lost costs audio something, and speech nothing."""
    clean = speech_like(1.5, sample_rate=48_000)
    bright = clean.with_samples(
        clean.samples + 0.02 * np.sin(2 * np.pi * 12_000 * np.arange(clean.samples.size) / 48_000)
    )

    assert value_of(loaded("audio"), clean, bright) < value_of(loaded("audio"), bright, bright) - 0.1


def test_a_long_recording_is_the_mean_of_its_parts() -> None:
    """Of those in which somebody speaks: of two it is the first alone."""
    metric = loaded("speech")
    speech = speech_like(2.0)
    clean = speech.with_samples(np.concatenate([speech.samples, np.zeros(14 * 16_000, np.float32)]))
    candidate = noisy(clean, 15.0)

    heard, spoken = (np.array_split(side.samples, 2) for side in (candidate, clean))

    assert not spoken[1].any()
    first = value_of(metric, clean.with_samples(heard[0]), clean.with_samples(spoken[0]))
    assert value_of(metric, candidate, clean) == pytest.approx(first)


def test_nobody_speaks() -> None:
    """A reference of a lone click has no score, and no exception escapes."""
    click = np.zeros(2 * 16_000, np.float32)
    click[16_000] = 0.9
    clean = Waveform(click, 16_000)

    (found,) = loaded("speech").score([Comparison(noisy(speech_like(2.0), 10.0), clean)])

    assert not isinstance(found, Outcome) or found.reason in {Reason.SILENT, Reason.TOO_SHORT}


def test_without_its_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the extra that brings it."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setitem(sys.modules, "visqol", None)
    monkeypatch.delitem(sys.modules, "visqol")

    with pytest.raises(MissingWeightsError, match=r"pip install 'unanimous\[visqol\]'"):
        Visqol().load("cpu")
