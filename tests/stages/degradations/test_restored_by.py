"""Restorers used as degradations."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from schemas import MissingWeightsError, OperatorSpec, UnfitError
from stages.audio.level import ratio_db
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.degradations.restored_by import BUILT_IN, RestoredBy
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.distributions import Distribution
from stages.operators.restorer import Restorer
from stages.restorers import RESTORERS
from tests.support.residual_lag import residual_lag
from tests.support.speech_like import noisy, speech_like


class Late(Restorer):
    """A model at 16 kHz that delays by 100 samples, halves the level, and adds noise of its own."""

    kind: ClassVar[str] = "late_for_tests"
    sampling: ClassVar[bool] = True
    draws: ClassVar[Mapping[str, Distribution]] = {}

    @property
    def sample_rate(self) -> int:
        """The rate of the model."""
        return 16_000

    def restore(
        self, batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return the late inputs."""
        return [
            each.with_samples(
                0.5 * np.pad(each.samples, (100, 0))
                + 1e-3 * stream.standard_normal(each.samples.size + 100, dtype=np.float32)
            )
            for each, stream in zip(batch, streams, strict=True)
        ]


@pytest.fixture
def late() -> OperatorSpec:
    """Return the spec of a model that is registered while these tests run."""
    RESTORERS.register(Late)
    return Late().spec


def restored_by(restorer: Any, seed: int = 0) -> RestoredBy:
    """Return the operator."""
    return RestoredBy.model_validate({"restorer": restorer, "seed": seed})


@pytest.mark.parametrize("restorer", BUILT_IN, ids=lambda spec: spec["kind"])
@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_leaves_the_artefacts_of_a_restorer(restorer: Any, sample_rate: int) -> None:
    """Noise becomes what the restorer makes of it: other damage, in the same place."""
    clean = speech_like(3.0, sample_rate=sample_rate)
    degraded = noisy(clean, 5.0)

    scene = restored_by(restorer).damage(Scene(degraded, clean), MemoryAudioSource())

    assert scene.degraded.samples.shape == clean.samples.shape
    assert residual_lag(scene.degraded, degraded) == (pytest.approx(0.0, abs=0.5), 1)
    assert ratio_db(degraded.samples, scene.degraded.samples - degraded.samples) < 20.0
    assert scene.facts["applied"] == 1.0
    assert scene.reference is clean


def test_takes_back_delay_rate_and_level(late: OperatorSpec) -> None:
    """Whatever the model does to them."""
    speech = speech_like(2.0, sample_rate=44_100)

    heard = restored_by(late).apply(speech, MemoryAudioSource())

    assert heard.sample_rate == 44_100
    assert residual_lag(heard, speech) == (pytest.approx(0.0, abs=0.7), 1)
    levels = [active_level_db(each.samples, each.sample_rate) for each in (heard, speech)]
    assert levels[0] == pytest.approx(levels[1], abs=0.1)


def test_models_that_sample_are_named_by_the_seed(late: OperatorSpec) -> None:
    """The same seed gives the same bytes whatever came before, another one does not."""
    speech, sources = speech_like(1.0), MemoryAudioSource()

    first = restored_by(late, seed=1).apply(speech, sources).samples
    other = restored_by(late, seed=2).apply(speech, sources).samples
    again = restored_by(late, seed=1).apply(speech, MemoryAudioSource()).samples

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_says_when_the_restorer_did_nothing() -> None:
    """The identity restores nothing, and the facts say so."""
    speech = speech_like(1.0)
    identity = {"kind": "identity", "version": 1, "params": {}}

    scene = restored_by(identity).damage(Scene(speech, speech), MemoryAudioSource())

    np.testing.assert_array_equal(scene.degraded.samples, speech.samples)
    assert scene.facts["applied"] == 0.0


def test_what_is_drawn_by_default_is_there() -> None:
    """The versions that the defaults name are those of this code."""
    for spec in BUILT_IN:
        assert RESTORERS.build(OperatorSpec.model_validate(spec)).weights == "none needed"


def test_a_pinned_file_is_known_by_its_digest() -> None:
    """A copy of the model elsewhere is the same model; without a digest its place is all that is known."""
    onnx = {"kind": "onnx", "version": 1, "params": {"path": "/somewhere/model.onnx", "sha256": "0" * 64}}
    moved = {**onnx, "params": {**onnx["params"], "path": "/elsewhere/model.onnx"}}
    loose = {**onnx, "params": {"path": "/somewhere/model.onnx"}}

    assert restored_by(onnx).fingerprint_params == restored_by(moved).fingerprint_params
    assert restored_by(loose).fingerprint_params != restored_by(onnx).fingerprint_params
    assert restored_by(loose).fingerprint_params["restorer"]["params"]["path"] == "/somewhere/model.onnx"


def test_a_model_that_is_not_there_stops_the_run() -> None:
    """Missing weights are nothing that a row could mend."""
    onnx = {"kind": "onnx", "version": 1, "params": {"path": "/nowhere/model.onnx"}}

    with pytest.raises(MissingWeightsError, match="cannot be read"):
        restored_by(onnx).apply(speech_like(1.0), MemoryAudioSource())


def test_silence_is_unfit() -> None:
    """There is nothing to restore."""
    silence = Waveform(np.zeros(16_000, dtype=np.float32), 16_000)

    with pytest.raises(UnfitError, match="nothing to restore"):
        restored_by(BUILT_IN[0]).apply(silence, MemoryAudioSource())
