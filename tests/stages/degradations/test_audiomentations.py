"""What transforms of audiomentations promise inside a chain, and which defects of theirs stay outside."""

import contextlib
import random

import numpy as np
import pytest
from pydantic import ValidationError

from schemas import Reason, UnfitError
from stages.audio.waveform import Waveform
from stages.degradations.audiomentations import ALLOWED, REFUSED, AudiomentationsTransform
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for
from tests.support.residual_lag import residual_lag

RATE = 44_100
SOURCES = MemoryAudioSource()


@pytest.fixture(scope="module")
def speech() -> Waveform:
    """Return 0.7 s of bursts: every frequency, never periodic."""
    t = np.arange(int(0.7 * RATE)) / RATE
    bursts = rng_for(0, "bursts").standard_normal(t.size) * np.sin(2 * np.pi * 1.7 * t) ** 4
    return Waveform((0.2 * bursts).astype(np.float32), RATE)


@pytest.mark.parametrize("name", ALLOWED)
def test_keeps_length_place_and_polarity(name: str, speech: Waveform) -> None:
    """And answers the same again, whatever the global generators were at; and leaves those alone."""
    transform = AudiomentationsTransform(transform=name, seed=3)
    np.random.seed(1)  # noqa: NPY002 - this is what must not matter
    random.seed(1)
    state = random.getstate()

    first = transform.damage(Scene(speech, speech), SOURCES)
    left_alone = random.getstate() == state
    np.random.seed(2)  # noqa: NPY002
    second = transform.damage(Scene(speech, speech), SOURCES)

    assert left_alone
    np.testing.assert_array_equal(first.degraded.samples, second.degraded.samples)
    assert first.facts == second.facts
    assert first.degraded.samples.shape == speech.samples.shape
    lag, polarity = residual_lag(first.degraded, speech)
    assert abs(lag) <= 0.5
    assert polarity == 1


@pytest.mark.parametrize("sample_rate", [8_000, 96_000])
@pytest.mark.parametrize("seconds", [0.0005, 0.05, 0.5])
@pytest.mark.parametrize("name", ALLOWED)
def test_gives_an_answer_or_a_reason(name: str, seconds: float, sample_rate: int) -> None:
    """Of speech, silence, an offset and a square wave, however short; never what is not finite."""
    n = round(seconds * sample_rate)
    square = np.sign(np.sin(2 * np.pi * 100.0 * (np.arange(n) + 0.5) / sample_rate))
    noise = 0.1 * rng_for(0, "noise").standard_normal(n)
    for samples in (noise, np.zeros(n), np.full(n, 0.5), square):
        given = Waveform(samples.astype(np.float32), sample_rate)
        with contextlib.suppress(UnfitError):
            scene = AudiomentationsTransform(transform=name, seed=1).damage(Scene(given, given), SOURCES)

            assert scene.degraded.samples.size == n
            assert np.isfinite(scene.degraded.samples).all()


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("LoudnessNormalization", Waveform(np.full(1_600, 0.1, np.float32), 16_000), Reason.TOO_SHORT),
        ("Mp3Compression", Waveform(np.full(1_500, 0.1, np.float32), 16_000), Reason.TOO_SHORT),
        ("LowPassFilter", Waveform(np.full(15, 0.1, np.float32), 16_000), Reason.TOO_SHORT),
        ("PeakingFilter", Waveform(np.full(8_000, 0.1, np.float32), 8_000), Reason.NOT_FINITE),
        ("Mp3Compression", Waveform(np.full(96_000, 0.1, np.float32), 96_000), Reason.ERROR),
    ],
)
def test_says_why_it_cannot_take_speech(name: str, given: Waveform, reason: Reason) -> None:
    """Too short for a block of loudness, for LAME or a filter; one above half the rate; a rate not of MP3."""
    with pytest.raises(UnfitError) as refused:
        AudiomentationsTransform(transform=name, seed=1).apply(given, SOURCES)

    assert refused.value.reason is reason


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_cannot_be_put_right(name: str) -> None:
    """With the reason, and what to use instead."""
    with pytest.raises(ValidationError, match=f"{name} is refused: "):
        AudiomentationsTransform(transform=name, seed=0)


@pytest.mark.parametrize(
    ("transform", "parameters", "why"),
    [
        ("TanhDistorsion", {}, "did you mean 'TanhDistortion'"),
        ("TanhDistortion", {"p": 0.5}, "give the step a 'probability'"),
        ("TanhDistortion", {"distortion": 0.5}, "unexpected keyword argument"),
        ("LowPassFilter", {"zero_phase": False}, "only right here with zero_phase True"),
        ("Mp3Compression", {"preserve_delay": True}, "only right here with preserve_delay False"),
    ],
)
def test_refuses_impossible_settings(transform: str, parameters: dict[str, float], why: str) -> None:
    """Before anything runs."""
    with pytest.raises(ValidationError, match=why):
        AudiomentationsTransform(transform=transform, parameters=parameters, seed=0)


def test_a_percentile_that_the_library_rounds_away_is_recorded_as_not_applied(speech: Waveform) -> None:
    """ClippingDistortion halves it as a whole number: of 1 % nothing is left, and it says nothing."""
    transform = AudiomentationsTransform(
        transform="ClippingDistortion",
        parameters={"min_percentile_threshold": 1, "max_percentile_threshold": 1},
        seed=0,
    )

    scene = transform.damage(Scene(speech, speech), SOURCES)

    np.testing.assert_array_equal(scene.degraded.samples, speech.samples)
    assert scene.facts["applied"] == 0.0


def test_what_is_recorded_is_what_was_done(speech: Waveform) -> None:
    """In the library the parameters of an earlier call stay where a later one does nothing."""
    quiet, loud = (
        AudiomentationsTransform(
            transform="Gain", parameters={"min_gain_db": gain, "max_gain_db": gain}, seed=0
        )
        for gain in (-6.0, 3.0)
    )

    scenes = [transform.damage(Scene(speech, speech), SOURCES) for transform in (quiet, loud, quiet)]

    for scene, gain in zip(scenes, (-6.0, 3.0, -6.0), strict=True):
        measured = 20 * np.log10(np.std(scene.degraded.samples) / np.std(speech.samples))
        assert measured == pytest.approx(gain, abs=0.01)
        assert any(value == pytest.approx(10 ** (gain / 20), rel=1e-3) for value in scene.facts.values())
