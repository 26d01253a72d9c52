"""Resynthesis by DAC and EnCodec: length, company, settings and what is refused, on small random networks."""

from pathlib import Path

import numpy as np
import pytest

from schemas import ConfigError, MissingWeightsError
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers import RESTORERS, Restorer
from tests.support.bundled_speech import bundled
from tests.support.tiny_restorers import lawful_restorer

KINDS = ("dac", "encodec")


def _loaded(kind: str, folder: Path) -> Restorer:
    model = lawful_restorer(kind, folder)
    model.load("cpu")
    return model


def _speech(model: Restorer, number: int, seconds: float) -> Waveform:
    rate = model.sample_rate or 16_000
    speech = resample(bundled(number), rate)
    return speech.with_samples(speech.samples[: round(seconds * rate)])


def _restored(model: Restorer, *given: Waveform) -> list[np.ndarray]:
    streams = [rng_for(0, "unused") for _ in given]
    return [waveform.samples for waveform in model.restore(given, streams)]


@pytest.mark.parametrize("kind", KINDS)
def test_company_is_not_heard(kind: str, tmp_path: Path) -> None:
    """In a batch of other lengths each input keeps its length and sounds as alone."""
    model = _loaded(kind, tmp_path)
    given = [_speech(model, number, seconds) for number, seconds in ((1, 1.0), (2, 1.7), (3, 0.05))]

    together = _restored(model, *given)

    for waveform, made in zip(given, together, strict=True):
        (alone,) = _restored(model, waveform)
        assert made.size == waveform.samples.size
        assert np.abs(made - alone).max() <= model.tolerance * np.abs(alone).max()


@pytest.mark.parametrize(("kind", "settings"), [
    ("dac", {"num_codebooks": 1}),
    ("encodec", {"bandwidth_kbps": 1.5}),
])  # fmt: skip
def test_fewer_tokens_make_other_takes(kind: str, settings: dict[str, float], tmp_path: Path) -> None:
    """A loaded network serves all its settings."""
    model = _loaded(kind, tmp_path)
    given = _speech(model, 1, 1.0)

    (full,), (small,) = (_restored(each, given) for each in (model, model.with_settings(settings)))

    assert not np.array_equal(full, small)


def test_another_rate_is_refused_with_the_right_one(tmp_path: Path) -> None:
    """The stage resamples to the rate that the settings say, so it has to be the network's."""
    model = lawful_restorer("dac", tmp_path).with_settings({"model_sample_rate": 44_100})

    with pytest.raises(ConfigError, match="model_sample_rate: 16000"):
        model.load("cpu")


def test_a_bitrate_that_the_network_has_not_is_refused(tmp_path: Path) -> None:
    """The message lists those that it has."""
    model = _loaded("encodec", tmp_path).with_settings({"bandwidth_kbps": 24.0})

    with pytest.raises(ConfigError, match=r"1\.5, 3\.0, 6\.0"):
        _restored(model, _speech(model, 1, 0.5))


@pytest.mark.parametrize("kind", KINDS)
def test_without_weights_the_way_out_is_said(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names what to fetch, or the folder that is empty."""
    monkeypatch.setenv("UNANIMOUS_WEIGHTS", str(tmp_path))

    with pytest.raises(MissingWeightsError, match="weights fetch"):
        RESTORERS[kind]().load("cpu")
    with pytest.raises(MissingWeightsError, match="empty folder"):
        RESTORERS[kind].model_validate({"path": tmp_path}).load("cpu")
