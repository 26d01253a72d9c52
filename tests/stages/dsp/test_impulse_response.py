"""Impulse responses."""

import numpy as np
import pytest

from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.dsp.impulse_response import (
    convolve_with_response,
    cut_early_part,
    direct_gain,
    direct_to_reverberant_db,
    find_direct_path,
    reverberation_time_s,
)
from stages.operators.rng import rng_for

RATE = 16_000


def response_of(samples: np.ndarray) -> Waveform:
    """Return samples as a response."""
    return Waveform(samples.astype(np.float32), RATE)


def decaying(rt60_s: float, direct: int = 300, seconds: float = 1.5) -> Waveform:
    """Return exponentially decaying noise after ``direct`` samples of nothing."""
    t = np.arange(int(seconds * RATE)) / RATE
    tail = rng_for(0, "decay").standard_normal(t.size) * 10.0 ** (-3.0 * t / rt60_s)
    return response_of(np.r_[np.zeros(direct), 3.0, np.zeros(80), tail])


@pytest.mark.parametrize("polarity", [1.0, -1.0])
def test_finds_the_direct_path_where_the_largest_sample_is_a_reflection(polarity: float) -> None:
    """Reflections that pile up louder than the direct sound do not move it; nor does its sign."""
    samples = 0.001 * rng_for(0, "floor").standard_normal(4_000)
    samples[250], samples[700] = 0.4 * polarity, 1.0

    response = response_of(samples)

    assert np.argmax(np.abs(samples)) == 700
    assert find_direct_path(response) == 250
    assert np.sign(direct_gain(response, 250)) == polarity


def test_direct_path_survives_resampling() -> None:
    """The ringing of a band-limited response ahead of its direct sound is not taken for it."""
    response = resample(decaying(0.5), 44_100)

    assert find_direct_path(response) == pytest.approx(300 * 44_100 / RATE, abs=1)


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5])
def test_direct_gain_does_not_depend_on_where_between_samples_it_arrives(fraction: float) -> None:
    """A pulse between two samples has the gain of one on a sample."""
    pulse = 0.5 * np.sinc(np.arange(2_000) - 600 - fraction)

    assert direct_gain(response_of(pulse), 600) == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.0])
def test_measures_the_reverberation_time(rt60_s: float) -> None:
    """Noise that decays by 60 dB in ``rt60_s`` is said to."""
    assert reverberation_time_s(decaying(rt60_s), 300) == pytest.approx(rt60_s, rel=0.05)


def test_measures_a_cut_response_by_its_first_20_db() -> None:
    """A response that was cut too early for T30 is measured by T20."""
    assert reverberation_time_s(decaying(1.0, seconds=0.65), 300) == pytest.approx(1.0, rel=0.1)


def test_says_nothing_of_a_decay_that_is_not_there() -> None:
    """One echo is no decay, and neither is a response that ends before it has decayed."""
    one_echo = np.zeros(4_000)
    one_echo[100], one_echo[900] = 1.0, 0.2

    assert reverberation_time_s(response_of(one_echo[:101]), 100) is None
    assert reverberation_time_s(decaying(2.0, seconds=0.2), 300) is None


def test_measures_direct_to_reverberant_energy() -> None:
    """A direct sound of energy 1 before reflections of energy 0.1 stands 10 dB over them."""
    samples = np.zeros(8_000)
    samples[100] = 1.0
    samples[1_000:2_000] = np.sqrt(0.1 / 1_000)

    assert direct_to_reverberant_db(response_of(samples), 100) == pytest.approx(10.0, abs=1e-4)
    assert direct_to_reverberant_db(response_of(samples[:500]), 100) == pytest.approx(240.0, abs=0.1)


def test_early_part_is_a_window_around_the_direct_sound() -> None:
    """−1 to +5 ms at 16 kHz are 16 samples before and 80 after; the rest is gone."""
    early = cut_early_part(response_of(np.ones(4_000)), 500, pre_ms=1.0, early_ms=5.0)

    assert np.flatnonzero(early.samples).tolist() == list(range(500 - 16, 500 + 80 + 1))


def test_convolution_wraps_nothing_around() -> None:
    """What rings on after the end of the speech is lost, and does not come back at its beginning."""
    speech, response = np.zeros(4_000), np.zeros(3_000)
    speech[3_900], response[0], response[2_999] = 1.0, 1.0, 1.0

    heard = convolve_with_response(response_of(speech), response_of(response))

    assert np.flatnonzero(np.abs(heard.samples) > 1e-6).tolist() == [3_900]


def test_convolution_is_the_textbook_one() -> None:
    """It agrees with the sum over products, from the delay on."""
    rng = rng_for(0, "convolution")
    speech, response = rng.standard_normal(500), rng.standard_normal(90)

    heard = convolve_with_response(response_of(speech), response_of(response), 40)

    np.testing.assert_allclose(heard.samples, np.convolve(speech, response)[40:540], atol=1e-5)
