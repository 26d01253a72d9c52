"""Simulated rooms."""

import hashlib
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.audio.level import peak
from stages.dsp.impulse_response import find_direct_path
from stages.dsp.rooms import RoomRanges, UnequalWalls, draw_room, simulate_room
from stages.dsp.shoebox import SPEED_OF_SOUND, WALLS
from stages.operators.rng import rng_for


@pytest.mark.parametrize("draw", range(6))
def test_rings_about_as_long_as_it_was_asked_to(draw: int) -> None:
    """The measured reverberation time is within 10 % of the drawn one, in oblong rooms too."""
    _, facts = simulate_room(rng_for(draw, "room"), 16_000, RoomRanges(rt60_s=(0.15, 0.5)))

    assert 0.15 <= facts["rt60_target_s"] <= 0.5
    assert facts["rt60_s"] == pytest.approx(facts["rt60_target_s"], rel=0.1)


@pytest.mark.parametrize("sample_rate", [16_000, 48_000])
def test_direct_path_is_where_the_geometry_says(sample_rate: int) -> None:
    """Nothing is heard before the time that sound takes, and the direct sound is heard then."""
    response, facts = simulate_room(rng_for(3, "room"), sample_rate, RoomRanges(rt60_s=(0.15, 0.2)))

    travelled = facts["distance_m"] / SPEED_OF_SOUND * sample_rate
    assert facts["direct_path_sample"] == pytest.approx(travelled + 40)
    assert find_direct_path(response) == pytest.approx(facts["direct_path_sample"], abs=1)
    quiet_until = int(facts["direct_path_sample"]) - 41
    # The simulator's high-pass at 10 Hz runs in both directions and so leaves a slow swell ahead.
    assert peak(response.samples[:quiet_until]) < 0.03 * peak(response.samples)


def test_is_drawn_and_described() -> None:
    """Other streams give other rooms; what is known is finite; the response is compact and fits FLAC."""
    (one, facts), (other, _) = (
        simulate_room(rng_for(n, "room"), 16_000, RoomRanges(rt60_s=(0.2, 0.3))) for n in range(2)
    )

    assert one.samples.size != other.samples.size
    assert all(math.isfinite(value) for value in facts.values())
    assert facts.keys() >= {"rt60_s", "rt60_target_s", "direct_path_sample", "drr_db", "distance_m"}
    apart = [facts[f"speaker_{axis}_m"] - facts[f"microphone_{axis}_m"] for axis in "xyz"]
    assert math.hypot(*apart) == pytest.approx(facts["distance_m"])
    size = [facts[f"{side}_m"] for side in ("length", "width", "height")]
    assert all(
        0.5 <= facts[f"speaker_{axis}_m"] <= side - 0.5 for axis, side in zip("xyz", size, strict=True)
    )
    assert peak(one.samples) == pytest.approx(0.9)
    assert one.duration_s < 0.5


def test_everybody_stands_in_the_room() -> None:
    """Speaker and microphone keep half a metre from walls and from each other."""
    for draw in range(100):
        room = draw_room(rng_for(draw, "stand"), RoomRanges())
        for point in (room.speaker_m, room.microphone_m):
            assert np.all(point >= 0.5)
            assert np.all(point <= room.size_m - 0.5)
        assert room.distance_m >= 0.5


def digest_of_a_room() -> str:
    """Return the digest of one room."""
    response, _ = simulate_room(rng_for(7, "room"), 48_000, RoomRanges(rt60_s=(0.3, 0.4)))
    return hashlib.sha256(response.samples.tobytes()).hexdigest()


def test_gives_the_same_bytes_in_another_process() -> None:
    """A room is a function of its stream, on one thread."""
    command = [sys.executable, "-c", f"import runpy; runpy.run_path({__file__!r}, run_name='__main__')"]

    other = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    ).stdout

    assert other == digest_of_a_room() + "\n"


if __name__ == "__main__":
    print(digest_of_a_room())  # noqa: T201 - for the test above


def test_walls_differ_as_asked() -> None:
    """One or two of six take much, the others little, each its own share of each band."""
    drawn = [UnequalWalls().draw(rng_for(n, "walls")) for n in range(200)]

    takes = np.array([walls.absorption for walls in drawn])
    assert takes.shape == (200, 6, 10)
    damped = np.any(takes > np.transpose(UnequalWalls().bare_absorption)[1], axis=2)
    assert set(damped.sum(axis=1)) <= {0, 1, 2}, "a damped wall may happen to be drawn as a bare one"
    assert np.all(damped.mean(axis=0) > 0.1), "any wall may be the damped one"
    low, high = np.transpose(UnequalWalls().damped_absorption)
    assert np.all((takes[damped] >= low) & (takes[damped] <= high))
    assert len({takes[0, 0, band] for band in range(10)}) == 10


@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_unequal_walls_ring_longest_where_they_take_least(sample_rate: int) -> None:
    """Damped at high frequencies, the room rings shorter there; the direct sound stays where it was."""
    bands = {"bands_hz": (125.0, 500.0, 2_000.0, 6_000.0), "bare_absorption": ((0.1, 0.1),) * 4}
    walls = UnequalWalls(damped=(6, 6), damped_absorption=((0.1, 0.1),) * 2 + ((0.6, 0.6),) * 2, **bands)

    response, facts = simulate_room(rng_for(4, "mix"), sample_rate, RoomRanges(unequal_walls=walls))

    assert find_direct_path(response) == pytest.approx(facts["direct_path_sample"], abs=1)
    late = response.samples[int(facts["direct_path_sample"]) + sample_rate // 5 :]
    spectrum = np.abs(np.fft.rfft(late)) ** 2
    hertz = np.fft.rfftfreq(late.size, 1.0 / sample_rate)
    low, high = (spectrum[(hertz > f) & (hertz < 2 * f)].mean() for f in (250, 3_000))
    assert low > 1_000 * high
    assert [facts[f"absorption_{name}"] for name in WALLS] == pytest.approx([0.35] * 6)


def test_reflections_stop_where_asked() -> None:
    """The same hard room with fewer reflections is over sooner, and its first milliseconds are the same."""
    hard = {"length_m": (5.0, 5.0), "width_m": (4.0, 4.0), "height_m": (3.0, 3.0), "absorption": (0.1, 0.1)}
    whole, _ = simulate_room(rng_for(2, "hard"), 16_000, RoomRanges(**hard))
    cut, facts = simulate_room(rng_for(2, "hard"), 16_000, RoomRanges(**hard, max_order=5))

    assert cut.samples.size < 0.5 * whole.samples.size
    start = slice(0, int(facts["direct_path_sample"]) + 100)
    np.testing.assert_allclose(cut.samples[start], whole.samples[start], atol=0.02)


def test_takes_sizes_and_walls_as_asked() -> None:
    """Sides and absorption lie in their ranges, and walls that take more ring for less time."""
    hall = {"length_m": (7.0, 15.0), "width_m": (8.0, 18.0), "height_m": (4.0, 14.0)}
    _, bare = simulate_room(rng_for(1, "hall"), 8_000, RoomRanges(**hall, absorption=(0.3, 0.35)))
    _, damped = simulate_room(rng_for(1, "hall"), 8_000, RoomRanges(**hall, absorption=(0.6, 0.65)))

    assert 0.3 <= bare["absorption"] <= 0.35
    for side, (low, high) in hall.items():
        assert low <= bare[side] <= high
    assert bare["rt60_s"] > 1.5 * damped["rt60_s"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rt60_s": (0.2, 0.3), "absorption": (0.1, 0.2)}, "one follows from the other"),
        ({"rt60_s": (0.5, 0.3)}, "lowest, highest"),
        ({"height_m": (1.0, 3.0)}, "at least 2 m"),
        ({"absorption": (0.5, 1.0)}, "between 0 and 1"),
        ({"absorption": (0.1, 0.2), "unequal_walls": {}}, "one follows from the other"),
        ({"unequal_walls": {"damped": (2, 1)}}, "lowest, highest"),
        ({"unequal_walls": {"damped": (1, 7)}}, "less than or equal to 6"),
        ({"unequal_walls": {"bands_hz": (500.0, 1_000.0)}}, "an entry for each band"),
        ({"unequal_walls": {"bare_absorption": ((0.0, 0.1),) * 10}}, "between 0 and 1"),
    ],
)
def test_rooms_that_cannot_be_are_refused(fields: dict[str, Any], message: str) -> None:
    """What cannot be built is said before anything is simulated."""
    with pytest.raises(ValueError, match=message):
        RoomRanges.model_validate(fields)
