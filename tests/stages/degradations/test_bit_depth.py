"""Bit depth."""

import numpy as np
import pytest

from stages.audio.level import peak, rms, to_db
from stages.degradations.bit_depth import BitDepth
from tests.support.measured_response import amplitude_of, damaged, tone, white


@pytest.mark.parametrize("bits", [1, 4, 8, 12])
def test_lies_on_as_many_steps_as_there_are(bits: int) -> None:
    """Every sample is a whole multiple of 2 / 2^bits, and all of them are used."""
    out = damaged(BitDepth(bits=bits), tone(123.4, 1.0, seconds=4.0)).degraded.samples

    steps = out * 2.0 ** (bits - 1)
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert np.unique(out).size == 2**bits + 1
    assert peak(out) == 1.0


@pytest.mark.parametrize("bits", [6, 10])
def test_error_is_what_rounding_leaves(bits: int) -> None:
    """A twelfth of a step squared; three times that with triangular dither."""
    speech = white(amplitude=0.2)
    step_db = to_db(2.0 ** (1 - bits))

    errors = [
        to_db(rms(damaged(BitDepth(bits=bits, dither_seed=seed), speech).degraded.samples - speech.samples))
        for seed in (None, 3)
    ]

    assert errors[0] - step_db == pytest.approx(-10.79, abs=0.1)
    assert errors[1] - step_db == pytest.approx(-10.79 + 4.77, abs=0.1)


def test_dither_saves_what_is_smaller_than_a_step() -> None:
    """A tone of a third of a step is gone without dither, and there with it."""
    quiet = tone(440.0, 0.33 * 2.0**-7, seconds=4.0)

    plain, dithered = (damaged(BitDepth(bits=8, dither_seed=seed), quiet).degraded for seed in (None, 1))

    assert not np.any(plain.samples)
    assert amplitude_of(dithered, 440.0) == pytest.approx(0.33 * 2.0**-7, rel=0.05)


def test_what_was_rounded_already_stays_and_says_so() -> None:
    """8 bits of 8-bit speech are nothing new."""
    rounded = damaged(BitDepth(bits=8), white()).degraded

    assert damaged(BitDepth(bits=8), rounded).facts["applied"] == 0.0
    assert damaged(BitDepth(bits=7), rounded).facts["applied"] == 1.0
