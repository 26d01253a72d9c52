"""Simulated rooms: responses of shoebox rooms by the image source method."""

import math
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, model_validator

from schemas import Record
from stages.impulse_response import direct_to_reverberant_db, reverberation_time_s
from stages.level import peak
from stages.waveform import Waveform

SPEED_OF_SOUND = 343.0
"""In m/s; what pyroomacoustics assumes."""
OFFSET_SAMPLES = 40
"""Constant delay of pyroomacoustics: half of its 81-tap fractional delay filters."""
HIGHEST_ORDER = 80
"""Of reflections: 700,000 images, a fifth of a second."""
SMALLEST_M = 2.0
FROM_WALLS_M, FROM_SPEAKER_M = 0.5, 0.5
RT60_S = (0.2, 0.8)
_TAIL_DB = -70.0
_PEAK = 0.9

Point = NDArray[np.float64]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] <= bounds[1]:
        raise ValueError(f"a range is [lowest, highest], not {list(bounds)}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""Lowest and highest."""


class RoomRanges(Record):
    """Which shoebox rooms there may be; each is drawn evenly from these ranges."""

    length_m: Range = (3.0, 10.0)
    width_m: Range = (3.0, 8.0)
    height_m: Range = (2.5, 4.0)
    rt60_s: Range | None = None
    """Reverberation time; 0.2 to 0.8 unless ``absorption`` says how the walls are."""
    absorption: Range | None = None
    """Share of energy that walls take, instead of a reverberation time."""

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if self.rt60_s is not None and self.absorption is not None:
            raise ValueError("give rt60_s or absorption: one follows from the other")
        smallest_m = min(self.length_m[0], self.width_m[0], self.height_m[0])
        if smallest_m < SMALLEST_M:
            raise ValueError(f"rooms have at least {SMALLEST_M:g} m a side, not {smallest_m:g}")
        if self.absorption is not None and not 0.0 < self.absorption[0] <= self.absorption[1] < 1.0:
            raise ValueError(f"absorption lies between 0 and 1, not {self.absorption}")
        if self.rt60_s is not None and self.rt60_s[0] <= 0.0:
            raise ValueError(f"rt60_s is over 0, not {self.rt60_s[0]:g}")
        return self


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
    def eyring_s(self) -> float:
        """Reverberation time by Eyring's formula, times −ln(1 − absorption)."""
        a, b, c = self.size_m
        surface_m2 = 2.0 * float(a * b + b * c + a * c)
        return 24.0 * math.log(10.0) * float(np.prod(self.size_m)) / (SPEED_OF_SOUND * surface_m2)

    @property
    def reach_m(self) -> float:
        """Distance that one more order of reflections adds at least."""
        a, b, c = np.sort(self.size_m)[:3]
        return float(min(x * y / math.hypot(x, y) for x, y in ((a, b), (a, c), (b, c))))


def simulate_room(
    rng: np.random.Generator, sample_rate: int, ranges: RoomRanges
) -> tuple[Waveform, dict[str, float]]:
    """Return the response of a room drawn from ``ranges`` and what is known of it; peak 0.9.

    Reverberation times that would need reflections of a higher order than 80 in the drawn room are
    lowered to what it can have. ``rt60_s`` is measured, ``direct_path_sample`` is exact: distance
    over speed of sound, and the constant offset of pyroomacoustics.
    """
    room = draw_room(rng, ranges)
    longest_s = (HIGHEST_ORDER + 1) * room.reach_m / SPEED_OF_SOUND
    if ranges.absorption is None:
        target_s = min(rng.uniform(*(ranges.rt60_s or RT60_S)), longest_s)
        absorption = _absorption(room, sample_rate, target_s)
    else:
        absorption = rng.uniform(*ranges.absorption)
        target_s = min(-room.eyring_s / math.log(1.0 - absorption), longest_s)
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


def draw_room(rng: np.random.Generator, ranges: RoomRanges) -> Room:
    """Return a room with a speaker and a microphone that are no closer than 0.5 m to anything."""
    size = rng.uniform(*np.transpose([ranges.length_m, ranges.width_m, ranges.height_m]))
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
    decay = room.eyring_s / target_s
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
