"""Gain steps."""

import numpy as np
import pytest
from pydantic import ValidationError

from stages.degradations.gain_steps import GainSteps
from stages.operators.degradation import Scene
from tests.support.measured_response import RATE, damaged, white

ONES = white(3.0).with_samples(np.full(3 * RATE, 0.25))


def level_at_db(scene: Scene, second: float) -> float:
    """Return the gain at one moment."""
    return float(20.0 * np.log10(scene.degraded.samples[round(second * RATE)] / 0.25))


def test_steps_are_when_and_as_high_as_they_were_told() -> None:
    """0 dB, then −6, then 3; half of a ramp in dB is half of the way."""
    steps = GainSteps(times_s=(1.0, 2.0, 99.0), gains_db=(-6.0, 3.0, 20.0), ramp_ms=100.0)

    scene = damaged(steps, ONES)

    at = [level_at_db(scene, second) for second in (0.99, 1.05, 1.11, 1.99, 2.05, 2.5)]
    assert at == pytest.approx([0.0, -3.0, -6.0, -6.0, -1.5, 3.0], abs=0.01)
    assert scene.facts["steps"] == 2.0


def test_random_steps_stay_in_their_range() -> None:
    """At least one, between the bounds, the same for the same seed."""
    scene = damaged(GainSteps(rate_per_s=2.0, lowest_db=-12.0, highest_db=-3.0, seed=1), ONES)

    assert scene.facts["steps"] >= 1.0
    assert scene.facts["lowest_gain_db"] >= -12.0
    assert scene.facts["highest_gain_db"] == 0.0
    assert -12.0 <= level_at_db(scene, 2.99) <= -3.0


def test_a_jump_is_a_jump() -> None:
    """Without a ramp the gain changes from one sample to the next."""
    scene = damaged(GainSteps(times_s=(1.0,), gains_db=(-20.0,), ramp_ms=0.0), ONES)

    assert scene.degraded.samples[RATE - 1 : RATE + 2] == pytest.approx([0.25, 0.025, 0.025], rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "set rate_per_s or times_s"),
        ({"times_s": (2.0, 1.0), "gains_db": (0.0, 1.0)}, "in order"),
        ({"times_s": (1.0,), "gains_db": ()}, "as long as each other"),
        ({"rate_per_s": 1.0, "lowest_db": 5.0, "highest_db": 1.0}, "below lowest_db"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, object], problem: str) -> None:
    """One way of saying when, in order."""
    with pytest.raises(ValidationError, match=problem):
        GainSteps.model_validate(settings)
