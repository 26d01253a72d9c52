"""Clipping."""

import numpy as np
import pytest
from pydantic import ValidationError

from stages.audio.waveform import Waveform
from stages.degradations.clipping import Clipping
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for

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
    quiet = SPEECH.scale(0.01)

    scene = Clipping(threshold=0.9).damage(Scene(quiet, quiet), MemoryAudioSource())

    np.testing.assert_array_equal(scene.degraded.samples, quiet.samples)
    assert scene.facts["clipped_fraction"] == 0.0


@pytest.mark.parametrize("level", [0.01, 1.0])
def test_a_ceiling_under_the_peak_flattens_quiet_speech_as_it_does_loud_speech(level: float) -> None:
    """VoiceFixer's: the ceiling is a share of the peak, and the level of what is below it stays."""
    speech = SPEECH.scale(level)

    scene = Clipping(drive_db=6.0206).damage(Scene(speech, speech), MemoryAudioSource())

    ceiling = 0.5 * np.max(np.abs(speech.samples))
    np.testing.assert_allclose(scene.degraded.samples, np.clip(speech.samples, -ceiling, ceiling), rtol=1e-5)
    assert scene.facts["threshold"] == pytest.approx(ceiling)


@pytest.mark.parametrize("times", [2, 3, 5])
@pytest.mark.parametrize("level", [0.01, 1.0])
def test_gain_into_a_ceiling_does_not_ask_how_loud_the_speech_is(times: int, level: float) -> None:
    """SonicMaster's: the peak is brought to 1, then times 2, 3 or 5, and flattened at 1."""
    gain_db = 20.0 * np.log10(times)
    speech = SPEECH.scale(level)

    scene = Clipping(gain_db=gain_db).damage(Scene(speech, speech), MemoryAudioSource())

    expected = np.clip(times * SPEECH.samples / np.max(np.abs(SPEECH.samples)), -1.0, 1.0)
    np.testing.assert_allclose(scene.degraded.samples, expected, atol=1e-5)
    assert scene.facts["clipped_fraction"] == pytest.approx(np.mean(np.abs(expected) == 1.0), abs=1e-3)


@pytest.mark.parametrize(("loudest", "times"), [(0.1, 2), (2.9, 2), (3.1, 3), (4.9, 3), (5.1, 5), (40.0, 5)])
def test_the_gain_goes_by_how_loud_the_speech_is_already(loudest: float, times: int) -> None:
    """SonicMaster's hidden clipping: 2 times, 3 if the peak is over 3, 5 if it is over 5; in any order."""
    gains_db = tuple((20.0 * np.log10([5, 2, 3])).tolist())
    speech = SPEECH.scale(loudest / np.max(np.abs(SPEECH.samples)))

    scene = Clipping(gains_db=gains_db).damage(Scene(speech, speech), MemoryAudioSource())

    expected = np.clip(times * speech.samples / np.max(np.abs(speech.samples)), -1.0, 1.0)
    np.testing.assert_allclose(scene.degraded.samples, expected, atol=1e-5)
    assert scene.facts["gain_db"] == pytest.approx(20.0 * np.log10(times))


def test_quantiles_flatten_either_side_by_its_share() -> None:
    """URGENT's: 2 % from below, 10 % from above."""
    scene = clipped(Clipping(low_quantile=0.02, high_quantile=0.9))

    out = scene.degraded.samples
    assert np.mean(out == out.min()) == pytest.approx(0.02, abs=1e-3)
    assert np.mean(out == out.max()) == pytest.approx(0.1, abs=1e-3)
    assert scene.facts["clipped_fraction"] == pytest.approx(0.12, abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "set threshold, drive_db"),
        ({"threshold": 0.5, "clipped_fraction": 0.1}, "set threshold, drive_db"),
        ({"threshold": 0.5, "gain_db": 6.0}, "set threshold, drive_db"),
        ({"threshold": 0.5, "drive_db": 6.0}, "set threshold, drive_db"),
        ({"gain_db": 6.0, "gains_db": (6.0, 9.5)}, "set threshold, drive_db"),
        ({"gains_db": ()}, "at least 1 item"),
        ({"low_quantile": 0.1}, "both low_quantile and high_quantile"),
    ],
)
def test_takes_one_measure(settings: dict[str, float], problem: str) -> None:
    """Six ways to say one thing: exactly one is set."""
    with pytest.raises(ValidationError, match=problem):
        Clipping.model_validate(settings)
