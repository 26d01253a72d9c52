"""Soft clipping."""

import numpy as np
import pytest
from pydantic import ValidationError

from stages.audio.level import peak
from stages.degradations.soft_clipping import ClippingCurve, SoftClipping
from tests.support.measured_response import RATE, amplitude_of, damaged, tone, white


@pytest.mark.parametrize("curve", ["tanh", "cubic"])
def test_bends_the_loud_and_leaves_the_quiet(curve: ClippingCurve) -> None:
    """No sample exceeds the ceiling; a hundredth of it passes unharmed."""
    clipping = SoftClipping(curve=curve, ceiling=0.5)

    loud, quiet = (damaged(clipping, tone(500.0, amplitude)).degraded for amplitude in (1.0, 0.005))

    assert 0.45 < peak(loud.samples) <= 0.5 + 1e-6
    np.testing.assert_allclose(quiet.samples, tone(500.0, 0.005).samples, atol=1e-6)


@pytest.mark.parametrize(("curve", "third"), [("tanh", -1 / 3 / 4), ("cubic", -4 / 27 / 4)])
def test_makes_the_harmonics_that_its_curve_has(curve: ClippingCurve, third: float) -> None:
    """The cubic term gives a third harmonic a quarter of its size; there is no second one."""
    bent = damaged(SoftClipping(curve=curve, ceiling=1.0), tone(500.0, 0.1, seconds=2.0)).degraded

    assert amplitude_of(bent, 1_500.0) == pytest.approx(abs(third) * 0.1**3, rel=0.03)
    assert amplitude_of(bent, 1_000.0) < 1e-7


@pytest.mark.parametrize("amplitude", [0.001, 0.1, 1.0])
def test_drive_counts_from_the_peak_so_level_does_not_matter(amplitude: float) -> None:
    """12 dB of drive bend quiet speech exactly as they bend loud speech."""
    scene = damaged(SoftClipping(drive_db=12.0), tone(500.0, amplitude, seconds=0.5))

    assert peak(scene.degraded.samples) / amplitude == pytest.approx(
        10 ** (-12 / 20) * np.tanh(10 ** (12 / 20)), rel=1e-3
    )


def test_silence_has_no_peak_to_bend() -> None:
    """It stays silence, and the step says so."""
    scene = damaged(SoftClipping(drive_db=12.0), tone(500.0, 0.0))

    assert scene.facts == {"applied": 0.0}
    assert scene.degraded.samples.size == RATE


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("level", [0.01, 1.0])
def test_bends_the_fraction_that_was_asked_for(level: float, fraction: float) -> None:
    """Asked for 10 % of the samples, 10 % of them were beyond the ceiling, however loud the speech is."""
    speech = white().scale(level)

    scene = damaged(SoftClipping(clipped_fraction=fraction), speech)

    assert scene.facts["clipped_fraction"] == pytest.approx(fraction, abs=1e-4)
    assert np.mean(np.abs(speech.samples) > scene.facts["ceiling"]) == pytest.approx(fraction, abs=1e-4)
    assert peak(scene.degraded.samples) <= np.float32(scene.facts["ceiling"])


@pytest.mark.parametrize(
    "settings", [{}, {"ceiling": 0.5, "drive_db": 6.0}, {"ceiling": 0.5, "clipped_fraction": 0.1}]
)
def test_takes_one_measure(settings: dict[str, float]) -> None:
    """Ceiling, drive and fraction are three ways to say one thing."""
    with pytest.raises(ValidationError, match="set ceiling, drive_db or clipped_fraction"):
        SoftClipping.model_validate(settings)
