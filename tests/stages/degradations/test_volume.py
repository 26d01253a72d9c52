"""Volume."""

import numpy as np
import pytest
from pydantic import ValidationError

from stages.audio.level import peak, ratio_db
from stages.degradations.volume import Volume
from tests.support.measured_response import damaged, white


@pytest.mark.parametrize("wanted", [0.001, 0.003, 0.01, 0.05, 1.0])
def test_brings_the_peak_where_it_was_asked(wanted: float) -> None:
    """SonicMaster's levels are peaks."""
    speech = white()

    scene = damaged(Volume(peak=wanted), speech)

    assert peak(scene.degraded.samples) == pytest.approx(wanted, rel=1e-5)
    assert scene.reference is speech


def test_or_is_a_gain() -> None:
    """−12 dB are −12 dB, and 0 dB say that they are nothing."""
    speech = white()

    quieter, same = damaged(Volume(gain_db=-12.0), speech), damaged(Volume(gain_db=0.0), speech)

    assert ratio_db(quieter.degraded.samples, speech.samples) == pytest.approx(-12.0, abs=1e-4)
    assert same.facts["applied"] == 0.0


def test_silence_has_no_peak_to_bring_anywhere() -> None:
    """It stays silence, and the step says so."""
    silence = white().scale(0.0)

    scene = damaged(Volume(peak=0.5), silence)

    assert not np.any(scene.degraded.samples)
    assert scene.facts["applied"] == 0.0


@pytest.mark.parametrize("settings", [{}, {"gain_db": 3.0, "peak": 0.5}])
def test_takes_one_measure(settings: dict[str, float]) -> None:
    """Gain and peak are two ways to say one thing."""
    with pytest.raises(ValidationError, match="set gain_db or peak"):
        Volume.model_validate(settings)
