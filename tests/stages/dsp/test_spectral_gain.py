"""Magnitudes of filters, from their sections."""

import numpy as np
import pytest

from stages.dsp.filters import Band, Prototype, RecursiveFamily
from stages.dsp.spectral_gain import Gains, Hertz, magnitude_of

FAMILIES: tuple[RecursiveFamily, ...] = ("butter", "cheby1", "cheby2", "ellip", "bessel")
LOWEST = 1e-5


def by_poles_and_zeros(sections: np.ndarray, hertz: Hertz, sample_rate: int) -> Gains:
    """Return the product of distances to zeros over that of distances to poles."""
    places = np.exp(2j * np.pi * hertz / sample_rate)
    gains = np.ones_like(hertz)
    for section in sections:
        gains *= abs(section[0])
        for zero, pole in zip(np.roots(section[:3]), np.roots(section[3:]), strict=True):
            gains *= np.abs(places - zero) / np.abs(places - pole)
    return gains


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("order", [2, 12])
@pytest.mark.parametrize("sample_rate", [8_000, 96_000])
@pytest.mark.parametrize(
    ("band", "edges"),
    [
        ("highpass", (5.0,)),
        ("bandpass", (5.0, 3_400.0)),
        ("bandstop", (50.0, 60.0)),
        ("lowpass", (20.0,)),
        ("lowpass", (3_996.0,)),
    ],
)
def test_is_as_exact_at_either_end_as_in_the_middle(
    band: Band, edges: tuple[float, ...], sample_rate: int, order: int, family: RecursiveFamily
) -> None:
    """Poles that lie on top of one another at 0 Hz or at half the rate leave no rounding to be amplified."""
    sections = Prototype(family, order, 0.1, 60.0).sections(band, edges, sample_rate)
    hertz = np.linspace(0.0, sample_rate / 2, 8_001)

    gains = magnitude_of(sections, hertz, sample_rate)

    expected = by_poles_and_zeros(sections, hertz, sample_rate)
    assert gains.max() < 1.001
    heard = expected > LOWEST
    np.testing.assert_allclose(gains[heard], expected[heard], rtol=1e-3)
