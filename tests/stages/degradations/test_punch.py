"""Punch taken away."""

import numpy as np
import pytest

from stages.audio.waveform import Waveform
from stages.degradations.punch import Punch
from tests.support.measured_response import RATE, damaged, tone


def with_onsets() -> Waveform:
    """Return a quiet tone with three loud bursts of 40 ms."""
    t = np.arange(3 * RATE) / RATE
    loud = (t % 1.0 >= 0.5) & (t % 1.0 < 0.54)
    return Waveform(
        tone(1_000.0, 1.0, seconds=3.0).samples * np.where(loud, 1.0, 0.03).astype(np.float32), RATE
    )


@pytest.mark.parametrize("reduction_db", [8.0, 12.0])
def test_turns_onsets_down_and_leaves_the_rest(reduction_db: float) -> None:
    """A burst loses what was asked for; half a second later the gain is 1 again."""
    speech = with_onsets()

    scene = damaged(Punch(reduction_db=reduction_db), speech)

    gains = scene.degraded.samples / np.where(np.abs(speech.samples) > 0.01, speech.samples, np.nan)
    burst, rest = gains[RATE // 2 + 480 : RATE // 2 + 1_900], gains[: RATE // 3]
    assert 20.0 * np.log10(np.nanmedian(burst)) == pytest.approx(-reduction_db, abs=0.1)
    np.testing.assert_allclose(rest[~np.isnan(rest)], 1.0, rtol=1e-5)
    assert scene.facts["reduction_db"] == reduction_db


def test_looks_ahead() -> None:
    """The gain is down before the burst begins, not only after it has been heard."""
    speech = with_onsets()

    ahead, late = (damaged(Punch(reduction_db=10.0, look_ahead_ms=ms), speech) for ms in (10.0, 0.0))

    first = slice(RATE // 2, RATE // 2 + 48)
    energy = [np.sum(np.square(scene.degraded.samples[first], dtype=np.float64)) for scene in (ahead, late)]
    assert 10.0 * np.log10(energy[1] / energy[0]) > 6.0


def test_reads_its_reduction_off_the_signal() -> None:
    """SonicMaster's rule: 0.7 of the way from the median to the 99th percentile, from 8 to 15 dB."""
    facts = damaged(Punch(), with_onsets()).facts

    assert facts["reduction_db"] == 15.0
    assert 0.0 < facts["reduced_fraction"] < 0.5


def test_a_steady_tone_has_no_onsets() -> None:
    """Nothing exceeds the threshold, and the step says so."""
    steady = tone(1_000.0, 0.5).with_samples(np.full(RATE, 0.5))

    assert damaged(Punch(), steady).facts["applied"] == 0.0
