"""Changes that nobody hears: each does what it says, and next to nothing else."""

import numpy as np
import pytest

from stages.audio.level import peak, ratio_db
from stages.calibration.perturbations import (
    INAUDIBLE,
    delay_slightly,
    lower_level,
    quantise,
    resample_there_and_back,
)
from tests.support.speech_like import speech_like


@pytest.mark.parametrize("change", INAUDIBLE)
def test_keeps_length_and_rate(change: str) -> None:
    """And is not the same recording."""
    speech = speech_like(1.0)

    changed = INAUDIBLE[change](speech)

    assert changed.sample_rate == speech.sample_rate
    assert changed.samples.size == speech.samples.size
    assert not np.array_equal(changed.samples, speech.samples)


def test_half_a_decibel() -> None:
    """Down, so that nothing clips."""
    speech = speech_like(1.0)

    assert ratio_db(lower_level(speech).samples, speech.samples) == pytest.approx(-0.5, abs=1e-3)


def test_sixteen_bits() -> None:
    """No sample moves by more than half a step."""
    speech = speech_like(1.0)

    assert peak(quantise(speech).samples - speech.samples) <= 2.0**-16


@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_five_milliseconds(sample_rate: int) -> None:
    """Silence first, the end cut off."""
    speech = speech_like(1.0, sample_rate=sample_rate)
    delay = round(0.005 * sample_rate)

    shifted = delay_slightly(speech).samples

    assert not shifted[:delay].any()
    np.testing.assert_array_equal(shifted[delay:], speech.samples[:-delay])


def test_another_resampler_leaves_the_signal() -> None:
    """There and back it keeps place and level: what is lost lies at the edge of the band."""
    speech = speech_like(1.0)

    assert ratio_db(speech.samples, resample_there_and_back(speech).samples - speech.samples) > 20
