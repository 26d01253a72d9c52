"""Convolution in blocks is the convolution."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from stages.dsp.convolution import convolve


@pytest.mark.parametrize(
    ("length", "taps"), [(1, 1), (10, 300), (5_000, 1), (44_100, 441), (100_000, 30_000)]
)
def test_is_the_linear_convolution(length: int, taps: int) -> None:
    """Equal to double precision within 120 dB under the peak, tail included."""
    rng = np.random.default_rng(length)
    samples, response = (rng.standard_normal(size).astype(np.float32) for size in (length, taps))
    expected = fftconvolve(samples.astype(np.float64), response.astype(np.float64))
    heard = convolve(samples, response)
    assert heard.shape == expected.shape
    assert np.abs(heard - expected).max() <= 1e-6 * np.abs(expected).max()
