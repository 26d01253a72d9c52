"""Drop-outs."""

import numpy as np
import pytest
from pydantic import ValidationError

from stages.degradations.dropouts import Dropouts
from stages.operators.degradation import Scene
from tests.support.measured_response import RATE, damaged, white


def runs_of_silence(scene: Scene) -> list[tuple[int, int]]:
    """Return where gaps start and how long they are, in samples."""
    silent = np.pad(scene.degraded.samples == 0.0, 1).astype(int)
    starts, stops = np.flatnonzero(np.diff(silent) == 1), np.flatnonzero(np.diff(silent) == -1)
    return list(zip(starts.tolist(), (stops - starts).tolist(), strict=True))


def test_gaps_are_where_and_as_long_as_they_were_told() -> None:
    """To the sample; what lies beyond the end is not counted."""
    dropouts = Dropouts(starts_s=(0.25, 0.5, 7.0), lengths_ms=(20.0, 100.0, 10.0))

    scene = damaged(dropouts, white())

    assert runs_of_silence(scene) == [(12_000, 960), (24_000, 4_800)]
    assert scene.facts == {"applied": 1.0, "gaps": 2.0, "lost_fraction": pytest.approx(0.12)}


def test_random_gaps_have_their_rate_and_their_lengths() -> None:
    """In 100 s at one per second there are about 100, of 20 to 60 ms."""
    dropouts = Dropouts(rate_per_s=1.0, shortest_ms=20.0, longest_ms=60.0, seed=2)

    scene = damaged(dropouts, white(100.0, sample_rate=8_000))

    lengths_ms = [1_000.0 * length / 8_000 for _, length in runs_of_silence(scene)]
    assert scene.facts["gaps"] == pytest.approx(100.0, abs=25.0)
    assert min(lengths_ms) > 19.8
    assert np.median(lengths_ms) == pytest.approx(40.0, abs=5.0)


def test_short_speech_may_be_spared_and_says_so() -> None:
    """With one gap in ten seconds, most tenths of a second have none."""
    scenes = [damaged(Dropouts(rate_per_s=0.1, seed=n), white(0.1)) for n in range(20)]

    spared = [scene for scene in scenes if scene.facts["applied"] == 0.0]
    assert len(spared) > 15
    assert all(np.array_equal(scene.degraded.samples, scene.reference.samples) for scene in spared)


def test_fades_around_a_gap_leave_no_click() -> None:
    """The gain moves by no more per sample than a cosine of that length does; the gap stays as long."""
    speech = white().with_samples(np.full(RATE, 0.5))

    scene = damaged(Dropouts(starts_s=(0.5,), lengths_ms=(50.0,), fade_ms=10.0), speech)

    assert np.max(np.abs(np.diff(scene.degraded.samples))) < 0.5 * np.pi / 2 / 480 * 1.05
    assert runs_of_silence(scene) == [(24_000, 2_400)]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "set rate_per_s or starts_s"),
        ({"rate_per_s": 1.0, "starts_s": (0.1,), "lengths_ms": (5.0,)}, "set rate_per_s or starts_s"),
        ({"starts_s": (0.1, 0.2), "lengths_ms": (5.0,)}, "as long as each other"),
        ({"rate_per_s": 1.0, "shortest_ms": 50.0, "longest_ms": 20.0}, "below shortest_ms"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, object], problem: str) -> None:
    """One way of saying where, and lengths that can be."""
    with pytest.raises(ValidationError, match=problem):
        Dropouts.model_validate(settings)
