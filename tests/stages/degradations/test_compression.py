"""Compression."""

import numpy as np
import pytest

from stages.audio.waveform import Waveform
from stages.degradations.compression import Compression
from stages.operators.degradation import Scene
from tests.support.measured_response import RATE, amplitude_of, damaged, tone


def settled_db(scene: Scene, hertz: float) -> float:
    """Return the level of a tone in the last half second."""
    return 20.0 * np.log10(amplitude_of(Waveform(scene.degraded.samples[-RATE // 2 :], RATE), hertz))


def reduction_db(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Return times in s and the gain there, read off the crests of a tone."""
    clean, degraded = scene.reference.samples, scene.degraded.samples
    crests = np.flatnonzero(np.abs(clean) > 0.99 * np.max(np.abs(clean)))
    crests = crests[np.abs(clean[crests]) > 1e-3]
    return crests / RATE, 20.0 * np.log10(degraded[crests] / clean[crests])


@pytest.mark.parametrize("hertz", [80.0, 220.0, 1_000.0, 5_000.0])
@pytest.mark.parametrize(("threshold_db", "ratio"), [(-20.0, 2.0), (-20.0, 4.0), (-40.0, 20.0)])
def test_has_its_ratio_above_the_threshold(threshold_db: float, ratio: float, hertz: float) -> None:
    """A tone that is x dB over the threshold comes out x / ratio over it, high or low."""
    compression = Compression(threshold_db=threshold_db, ratio=ratio, attack_ms=5.0)

    loud = settled_db(damaged(compression, tone(hertz, 0.5)), hertz)
    louder = settled_db(damaged(compression, tone(hertz, 1.0)), hertz)

    assert louder - threshold_db == pytest.approx((0.0 - threshold_db) / ratio, abs=0.1)
    assert louder - loud == pytest.approx(6.02 / ratio, abs=0.05)


def test_leaves_what_is_under_the_threshold_but_for_the_make_up() -> None:
    """Quiet speech is only made up for; without that the step says that it did nothing."""
    quiet = tone(300.0, 0.01)

    made_up = damaged(Compression(threshold_db=-20.0, ratio=4.0, make_up_gain_db=12.0), quiet)
    left = damaged(Compression(threshold_db=-20.0, ratio=4.0), quiet)

    np.testing.assert_allclose(made_up.degraded.samples, quiet.samples * 10 ** (12 / 20), rtol=1e-5)
    np.testing.assert_array_equal(left.degraded.samples, quiet.samples)
    assert left.facts["applied"] == 0.0


@pytest.mark.parametrize("attack_ms", [3.0, 30.0, 150.0])
def test_attacks_in_its_time(attack_ms: float) -> None:
    """After a step of 20 dB, 63 % of the reduction are there when the attack time is over."""
    speech = tone(2_000.0, 1.0, seconds=2.0)
    stepped = speech.with_samples(np.where(np.arange(2 * RATE) < RATE, 0.01, 1.0) * speech.samples)

    scene = damaged(
        Compression(threshold_db=-20.0, ratio=2.0, attack_ms=attack_ms, release_ms=500.0), stepped
    )

    times_s, gains_db = reduction_db(scene)
    after = times_s >= 1.0
    reached = times_s[after][np.argmax(gains_db[after] <= -10.0 * (1.0 - np.exp(-1.0)))] - 1.0
    assert 1_000.0 * reached == pytest.approx(attack_ms, rel=0.05, abs=0.5)


@pytest.mark.parametrize("release_ms", [80.0, 250.0])
def test_releases_in_its_time(release_ms: float) -> None:
    """63 % of the reduction are gone when the release time is over, 10 ms of holding not counted."""
    speech = tone(2_000.0, 1.0, seconds=3.0)
    stepped = speech.with_samples(np.where(np.arange(3 * RATE) < RATE, 1.0, 0.05) * speech.samples)

    scene = damaged(Compression(threshold_db=-20.0, ratio=2.0, attack_ms=3.0, release_ms=release_ms), stepped)

    late = scene.degraded.samples[RATE:] / np.where(
        np.abs(stepped.samples[RATE:]) > 0.03, stepped.samples[RATE:], np.nan
    )
    gains_db = 20.0 * np.log10(late)
    reached = np.flatnonzero(gains_db >= -10.0 * np.exp(-1.0))[0] / RATE
    assert 1_000.0 * reached == pytest.approx(release_ms + 10.0, rel=0.05)


def test_says_how_much_it_took() -> None:
    """The facts hold the largest and the mean reduction."""
    facts = damaged(Compression(threshold_db=-20.0, ratio=2.0, attack_ms=1.0), tone(4_000.0, 1.0)).facts

    assert facts["most_reduction_db"] == pytest.approx(10.0, abs=0.05)
    assert facts["mean_reduction_db"] == pytest.approx(10.0, abs=0.3)
