"""Damaged phase."""

import numpy as np
import pytest

from stages.audio.level import rms
from stages.audio.waveform import Waveform
from stages.degradations.phase_damage import PhaseDamage
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.rng import rng_for
from tests.support.residual_lag import residual_lag
from tests.support.speech_like import speech_like

SOURCES = MemoryAudioSource()


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("spread_rad", [0.2, 1.5])
def test_delays_nothing_and_keeps_polarity(spread_rad: float, sample_rate: int) -> None:
    """Angles without a mean move nothing."""
    speech = speech_like(2.0, sample_rate=sample_rate)

    heard = PhaseDamage(spread_rad=spread_rad, seed=1).apply(speech, SOURCES)

    assert heard.samples.shape == speech.samples.shape
    assert residual_lag(heard, speech) == (pytest.approx(0.0, abs=0.5), 1)


@pytest.mark.parametrize("spread_rad", [0.3, 0.8, 1.3])
def test_leaves_as_much_as_it_says(spread_rad: float) -> None:
    """What is left of the speech has an amplitude of exp(−spread²/2): the mean of a turned phasor."""
    noise = Waveform(0.1 * rng_for(0, "noise").standard_normal(64_000, dtype=np.float32), 16_000)

    heard = PhaseDamage(spread_rad=spread_rad, seed=1).apply(noise, SOURCES)

    left = np.dot(heard.samples, noise.samples) / np.dot(noise.samples, noise.samples)
    assert left == pytest.approx(np.exp(-(spread_rad**2) / 2), rel=0.02)


def test_only_the_seed_decides() -> None:
    """Another seed shakes as much and otherwise."""
    speech = speech_like(1.0)

    one, two = (PhaseDamage(spread_rad=0.7, seed=seed).apply(speech, SOURCES).samples for seed in (1, 2))

    assert rms(one - two) > 0.1 * rms(one)
    assert rms(one) == pytest.approx(rms(two), rel=0.05)
