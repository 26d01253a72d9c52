"""A Griffin-Lim round trip."""

import numpy as np
import pytest

from stages.audio.level import ratio_db
from stages.degradations.griffin_lim import GriffinLim
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from tests.support.residual_lag import residual_lag
from tests.support.speech_like import speech_like

SOURCES = MemoryAudioSource()


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("phase_error_rad", [1.0, 2.5])
@pytest.mark.parametrize("seed", [1, 2])
def test_delays_nothing_and_keeps_polarity(seed: int, phase_error_rad: float, sample_rate: int) -> None:
    """Also where the first guess is nearly free."""
    speech = speech_like(2.0, sample_rate=sample_rate)
    trip = GriffinLim(iterations=10, phase_error_rad=phase_error_rad, seed=seed)

    heard = trip.apply(speech, SOURCES)

    assert heard.samples.shape == speech.samples.shape
    assert residual_lag(heard, speech) == (pytest.approx(0.0, abs=0.5), 1)
    assert float(np.dot(heard.samples, speech.samples)) > 0.0


def test_more_iterations_agree_better() -> None:
    """Every iteration brings samples whose magnitudes are nearer to those wanted: the paper's theorem."""
    speech = speech_like(1.0)

    inconsistencies = [
        GriffinLim(iterations=n, phase_error_rad=2.5, seed=1)
        .damage(Scene(speech, speech), SOURCES)
        .facts["inconsistency"]
        for n in (1, 4, 16, 64)
    ]

    assert inconsistencies == sorted(inconsistencies, reverse=True)
    assert inconsistencies[-1] < 0.5 * inconsistencies[0]


def test_a_worse_guess_leaves_more_damage() -> None:
    """The waveform is further from the speech when less was known of its phase."""
    speech = speech_like(2.0)

    near, far = (
        GriffinLim(iterations=16, phase_error_rad=error, seed=1).apply(speech, SOURCES)
        for error in (0.8, 2.5)
    )

    assert ratio_db(speech.samples, near.samples - speech.samples) > 3.0 + ratio_db(
        speech.samples, far.samples - speech.samples
    )
