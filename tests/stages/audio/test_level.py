"""Levels mean the same for every length, size and precision."""

import numpy as np
import pytest

from stages.audio.level import GLANCE, SILENCE_RMS, energy, exceeds, is_silent, rms
from stages.operators.rng import rng_for


@pytest.mark.parametrize("length", [1, 511, 512, 513, 100_000])
@pytest.mark.parametrize("scale", [1e-30, 1e-5, 1.0, 1e25])
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_is_the_root_mean_square(length: int, scale: float, precision: type) -> None:
    """As in double precision within 1e-6, loud or quiet; what is under −400 dBFS may be nothing."""
    samples = (scale * rng_for(length, "level").standard_normal(length)).astype(precision)
    expected = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))

    assert rms(samples) == pytest.approx(expected, rel=1e-6, abs=1e-20)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_has_no_level(value: float) -> None:
    """It neither counts as silence nor becomes a number."""
    samples = np.full(1_000, 0.1, np.float32)
    samples[700] = value

    assert not np.isfinite(rms(samples))
    assert not is_silent(samples)


def test_silence() -> None:
    """No samples, zeros, and what is under −120 dBFS."""
    assert is_silent(np.zeros(0, np.float32))
    assert is_silent(np.zeros(600, np.float32))
    assert is_silent(np.full(600, 0.99 * SILENCE_RMS, np.float32))
    assert not is_silent(np.full(600, 1.01 * SILENCE_RMS, np.float32))


@pytest.mark.parametrize("place", [0, GLANCE - 1, GLANCE, 3 * GLANCE + 5])
def test_one_sample_anywhere_is_heard(place: int) -> None:
    """Glancing at the beginning first overlooks nothing that comes later."""
    samples = np.zeros(3 * GLANCE + 6, np.float32)
    assert not exceeds(samples, 0.0)

    samples[place] = 0.5

    assert exceeds(samples, 0.0)
    assert exceeds(samples, 0.2499)
    assert not exceeds(samples, energy(samples))
    assert not is_silent(samples)
    samples[place] = np.nan
    assert exceeds(samples, 1.0)
    assert not is_silent(samples)
