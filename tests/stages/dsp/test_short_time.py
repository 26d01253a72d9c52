"""Short-time spectra."""

import numpy as np
import pytest

from stages.dsp.short_time import ShortTime
from stages.operators.rng import rng_for


@pytest.mark.parametrize("length", [1, 100, 4_096, 10_001])
@pytest.mark.parametrize("frame_ms", [4.0, 32.0, 100.0])
def test_comes_back_as_it_was(frame_ms: float, length: int) -> None:
    """Spectra that nobody changed are the samples again, however few there are."""
    samples = rng_for(0, "noise").standard_normal(length, dtype=np.float32)
    short_time = ShortTime.of(frame_ms, 22_050)

    back = short_time.samples(short_time.spectra(samples), length)

    np.testing.assert_allclose(back, samples, atol=3e-6)


def test_knows_the_power_of_noise() -> None:
    """White noise of RMS 1 has that power in the mean bin."""
    short_time = ShortTime.of(32.0, 16_000)
    noise = rng_for(0, "noise").standard_normal(160_000, dtype=np.float32)

    power = np.mean(np.abs(short_time.spectra(noise)[5:-5, 5:-5]) ** 2)

    assert power == pytest.approx(short_time.noise_power, rel=0.02)
