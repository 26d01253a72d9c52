"""Loudness."""

import numpy as np
import pytest

from schemas import UnfitError
from stages.audio.loudness import loudness_lufs
from tests.support.measured_response import tone, white


@pytest.mark.parametrize("sample_rate", [16_000, 44_100, 48_000])
def test_a_full_scale_tone_of_997_hz_has_minus_three(sample_rate: int) -> None:
    """The recommendation's own check: −3.01 LKFS on one channel."""
    full_scale = tone(997.0, 1.0, seconds=3.0, sample_rate=sample_rate)

    assert loudness_lufs(full_scale.samples, sample_rate) == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize("gain", [1e-5, 0.01, 3.0])
def test_a_gain_of_the_signal_is_the_same_gain_of_its_loudness(gain: float) -> None:
    """Also under −70 LUFS, where the absolute gate of a meter would hear nothing."""
    speech = white(2.0).samples.astype(np.float64)

    change = loudness_lufs(gain * speech, 48_000) - loudness_lufs(speech, 48_000)

    assert change == pytest.approx(20.0 * np.log10(gain), abs=1e-6)


def test_short_recordings_are_filled_up_to_a_block() -> None:
    """A tenth of a second is a quarter of a block, so 6 dB quieter than if it went on."""
    long = tone(997.0, 0.5, seconds=4.0).samples

    assert loudness_lufs(long[:4_800], 48_000) - loudness_lufs(long, 48_000) == pytest.approx(-6.0, abs=0.2)


@pytest.mark.parametrize("samples", [np.zeros(48_000), np.zeros(10)])
def test_silence_is_a_reason_not_a_number(samples: np.ndarray) -> None:
    """Nothing to hear gives no loudness."""
    with pytest.raises(UnfitError, match="no loudness"):
        loudness_lufs(samples, 48_000)
