"""Clipping."""

import numpy as np
import pytest
from pydantic import ValidationError

from stages.degradations.base import Scene
from stages.degradations.clipping import Clipping
from stages.memory_source import MemoryAudioSource
from stages.rng import rng_for
from stages.waveform import Waveform

SPEECH = Waveform((0.2 * rng_for(0, "speech").standard_normal(16_000)).astype(np.float32), 16_000)


def clipped(clipping: Clipping) -> Scene:
    """Return the speech after ``clipping``."""
    return clipping.damage(Scene(SPEECH, SPEECH), MemoryAudioSource())


@pytest.mark.parametrize("threshold", [0.06, 0.3])
def test_flattens_at_an_absolute_threshold(threshold: float) -> None:
    """Nothing exceeds the threshold, and nothing under it is touched."""
    scene = clipped(Clipping(threshold=threshold))

    size = np.abs(SPEECH.samples)
    under = size <= np.float32(threshold)
    assert np.max(np.abs(scene.degraded.samples)) == np.float32(threshold)
    np.testing.assert_array_equal(scene.degraded.samples[under], SPEECH.samples[under])
    assert scene.facts["clipped_fraction"] == pytest.approx(np.mean(~under))


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
def test_flattens_the_fraction_that_was_asked_for(fraction: float) -> None:
    """Asked for 10 % of the samples, 10 % of the samples lie on the ceiling."""
    scene = clipped(Clipping(clipped_fraction=fraction))

    assert scene.facts["clipped_fraction"] == pytest.approx(fraction, abs=1e-4)
    on_the_ceiling = np.abs(scene.degraded.samples) >= np.float32(scene.facts["threshold"])
    assert np.mean(on_the_ceiling) == pytest.approx(fraction, abs=2e-4)


def test_leaves_quiet_speech_alone_and_says_so() -> None:
    """An absolute threshold above the speech changes nothing, and the fact is 0."""
    quiet = SPEECH.scaled(0.01)

    scene = Clipping(threshold=0.9).damage(Scene(quiet, quiet), MemoryAudioSource())

    np.testing.assert_array_equal(scene.degraded.samples, quiet.samples)
    assert scene.facts["clipped_fraction"] == 0.0


@pytest.mark.parametrize("settings", [{}, {"threshold": 0.5, "clipped_fraction": 0.1}])
def test_takes_one_measure(settings: dict[str, float]) -> None:
    """Threshold and fraction are two ways to say one thing: exactly one is set."""
    with pytest.raises(ValidationError, match="set threshold or clipped_fraction"):
        Clipping.model_validate(settings)
