"""Limiting."""

import numpy as np
import pytest

from stages.audio.level import peak, to_db
from stages.audio.waveform import Waveform
from stages.degradations.limiter import Limiter
from tests.support.measured_response import RATE, damaged, tone, white
from tests.support.speech_like import speech_like


@pytest.mark.parametrize("ceiling_db", [-1.0, -12.0])
@pytest.mark.parametrize("look_ahead_ms", [0.0, 1.5, 20.0])
@pytest.mark.parametrize("gain_db", [6.0, 40.0])
def test_no_sample_exceeds_the_ceiling(gain_db: float, look_ahead_ms: float, ceiling_db: float) -> None:
    """However hard it is driven."""
    limiter = Limiter(gain_db=gain_db, ceiling_db=ceiling_db, look_ahead_ms=look_ahead_ms)

    out = damaged(limiter, speech_like(2.0).scale(4.0)).degraded

    assert to_db(peak(out.samples)) <= ceiling_db + 1e-4
    assert to_db(peak(out.samples)) == pytest.approx(ceiling_db, abs=1.0)


def test_is_only_a_gain_where_nothing_reaches_the_ceiling() -> None:
    """Speech with room above it comes out louder and unharmed."""
    quiet = white(amplitude=0.001)

    scene = damaged(Limiter(gain_db=6.0), quiet)

    np.testing.assert_allclose(scene.degraded.samples, quiet.samples * 10 ** (6 / 20), rtol=1e-5)
    assert scene.facts["limited_fraction"] == 0.0


def test_falls_before_a_peak_and_recovers_in_its_time() -> None:
    """A click takes the gain down ahead of it; 63 % are back after the release."""
    samples = tone(1_000.0, 0.1, seconds=2.0).samples.copy()
    samples[RATE] = 2.0
    speech = Waveform(samples, RATE)

    limiter = Limiter(gain_db=0.0, ceiling_db=0.0, look_ahead_ms=2.0, release_ms=100.0)
    scene = damaged(limiter, speech)

    gains = scene.degraded.samples / np.where(np.abs(samples) > 0.01, samples, np.nan)
    assert gains[RATE - 96 : RATE + 96][~np.isnan(gains[RATE - 96 : RATE + 96])].max() < 0.85
    np.testing.assert_allclose(gains[: RATE - 200][~np.isnan(gains[: RATE - 200])], 1.0, rtol=1e-6)
    assert 1.0 - gains[RATE + 4_800 + 96 + 12] == pytest.approx(0.5 * np.exp(-1.0), rel=0.1)


def test_says_when_there_was_nothing_to_limit() -> None:
    """Without gain and without peaks nothing happens."""
    quiet = white(amplitude=0.01)

    scene = damaged(Limiter(gain_db=0.0), quiet)

    assert scene.facts["applied"] == 0.0
    np.testing.assert_array_equal(scene.degraded.samples, quiet.samples)
