"""Hiss."""

import pytest
from pydantic import ValidationError

from stages.audio.audible import audible_rms
from stages.audio.level import to_db
from stages.degradations.hiss import Hiss
from tests.support.measured_response import added_by, damaged, density_db, white


@pytest.mark.parametrize("level_dbfs", [-60.0, -40.0])
@pytest.mark.parametrize("loudness", [0.001, 0.1])
def test_has_its_level_whatever_the_speech_has(level_dbfs: float, loudness: float) -> None:
    """Electronics hiss as loudly under quiet speech as under loud speech."""
    added = added_by(Hiss(level_dbfs=level_dbfs, seed=1), white(amplitude=loudness))

    assert to_db(audible_rms(added.samples, added.sample_rate)) == pytest.approx(level_dbfs, abs=0.01)


def test_or_an_snr() -> None:
    """With ``snr_db`` it follows the speech."""
    scene = damaged(Hiss(snr_db=30.0, seed=1), white())

    assert scene.facts["snr_db"] == pytest.approx(30.0, abs=0.01)


def test_is_white_above_its_corner_and_flickers_below() -> None:
    """3 dB more at the corner, 10 dB more a decade below, nothing more far above."""
    added = added_by(Hiss(level_dbfs=-20.0, flicker_corner_hz=1_000.0, seed=1), white(20.0))

    floor_db = density_db(added, 15_000.0, 24_000.0)
    assert density_db(added, 900.0, 1_100.0) - floor_db == pytest.approx(3.0, abs=0.4)
    assert density_db(added, 95.0, 105.0) - floor_db == pytest.approx(10.4, abs=0.8)


@pytest.mark.parametrize("settings", [{}, {"level_dbfs": -40.0, "snr_db": 20.0}])
def test_takes_one_level(settings: dict[str, float]) -> None:
    """An absolute level and an SNR are two ways to say one thing."""
    with pytest.raises(ValidationError, match="set level_dbfs or snr_db"):
        Hiss.model_validate({**settings, "seed": 0})
