"""Simulated rooms: responses of shoebox rooms by the image source method."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.impulse_response import direct_to_reverberant_db, reverberation_time_s
from stages.level import peak
from stages.waveform import Waveform

SPEED_OF_SOUND = 343.0
"""In m/s; what pyroomacoustics assumes."""
OFFSET_SAMPLES = 40
"""Constant delay of pyroomacoustics: half of its 81-tap fractional delay filters."""
HIGHEST_ORDER = 80
"""Of reflections: 700,000 images, a fifth of a second."""
SMALLEST_M, LARGEST_M = (3.0, 3.0, 2.5), (10.0, 8.0, 4.0)
FROM_WALLS_M, FROM_SPEAKER_M = 0.5, 0.5
_TAIL_DB = -70.0
_PEAK = 0.9

Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Room:
    """A shoebox room with a speaker and a microphone in it; metres."""

    size_m: Point
    speaker_m: Point
    microphone_m: Point

    @property
    def distance_m(self) -> float:
        """From the speaker to the microphone."""
        return float(np.linalg.norm(self.speaker_m - self.microphone_m))

    @property
    def reach_m(self) -> float:
        """Distance that one more order of reflections adds at least."""
        a, b, c = np.sort(self.size_m)[:3]
        return float(min(x * y / math.hypot(x, y) for x, y in ((a, b), (a, c), (b, c))))


def simulate_room(
    rng: np.random.Generator, sample_rate: int, *, rt60_range_s: tuple[float, float] = (0.15, 0.9)
) -> tuple[Waveform, dict[str, float]]:
    """Return the response of a drawn room and what is known of it; peak 0.9.

    Reverberation times that would need reflections of a higher order than 80 in the drawn room are
    lowered to what it can have. ``rt60_s`` is measured, ``direct_path_sample`` is exact: distance
    over speed of sound, and the constant offset of pyroomacoustics.
    """
    room = draw_room(rng)
    target_s = min(rng.uniform(*rt60_range_s), (HIGHEST_ORDER + 1) * room.reach_m / SPEED_OF_SOUND)
    absorption = _absorption(room, sample_rate, target_s)
    response = _trimmed(_simulated(room, sample_rate, target_s, absorption))
    direct = room.distance_m / SPEED_OF_SOUND * sample_rate + OFFSET_SAMPLES
    facts = {
        "direct_path_sample": direct,
        "rt60_target_s": target_s,
        "drr_db": direct_to_reverberant_db(response, round(direct)),
        "distance_m": room.distance_m,
        "absorption": absorption,
        **dict(zip(("length_m", "width_m", "height_m"), map(float, room.size_m), strict=True)),
    }
    rt60_s = reverberation_time_s(response, round(direct))
    return response.scaled(_PEAK / peak(response.samples)), (
        facts if rt60_s is None else facts | {"rt60_s": rt60_s}
    )


def draw_room(rng: np.random.Generator) -> Room:
    """Return a room of 3 to 10 by 3 to 8 by 2.5 to 4 m; nobody stands closer than 0.5 m to anything."""
    size = rng.uniform(SMALLEST_M, LARGEST_M)
    speaker = rng.uniform(FROM_WALLS_M, size - FROM_WALLS_M)
    while True:
        microphone = rng.uniform(FROM_WALLS_M, size - FROM_WALLS_M)
        if np.linalg.norm(speaker - microphone) >= FROM_SPEAKER_M:
            return Room(size, speaker, microphone)


def _absorption(room: Room, sample_rate: int, target_s: float) -> float:
    """Return the share of energy that walls must take so that the room rings for ``target_s``.

    Eyring's formula, then corrected by what a first simulation of the room rings for: images in
    oblong rooms decay more slowly than a diffuse field.
    """
    volume = float(np.prod(room.size_m))
    a, b, c = room.size_m
    surface = 2.0 * float(a * b + b * c + a * c)
    decay = 24.0 * math.log(10.0) * volume / (SPEED_OF_SOUND * surface * target_s)
    first = _simulated(room, sample_rate, target_s, 1.0 - math.exp(-decay))
    direct = round(room.distance_m / SPEED_OF_SOUND * sample_rate + OFFSET_SAMPLES)
    measured_s = reverberation_time_s(first, direct)
    return 1.0 - math.exp(-decay * (measured_s or target_s) / target_s)


def _simulated(room: Room, sample_rate: int, rt60_s: float, absorption: float) -> Waveform:
    import pyroomacoustics  # noqa: PLC0415 - 1 s

    pyroomacoustics.constants.set("num_threads", 1)  # two threads add in another order: other bits
    order = min(HIGHEST_ORDER, math.ceil(SPEED_OF_SOUND * rt60_s / room.reach_m))
    box = pyroomacoustics.ShoeBox(
        room.size_m,
        fs=sample_rate,
        materials=pyroomacoustics.Material(absorption),
        max_order=order,
    )
    box.add_source(room.speaker_m)
    box.add_microphone(room.microphone_m)
    box.compute_rir()
    return Waveform(np.asarray(box.rir[0][0], dtype=np.float32), sample_rate)


def _trimmed(response: Waveform) -> Waveform:
    """Return ``response`` without the tail that holds less than −70 dB of its energy."""
    remaining = np.cumsum(np.square(response.samples[::-1], dtype=np.float64))[::-1]
    audible = np.count_nonzero(remaining > 10.0 ** (_TAIL_DB / 10.0) * remaining[0])
    return response.with_samples(response.samples[: int(audible) + 1])
