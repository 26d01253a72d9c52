"""Simulated rooms: which there may be, one of them drawn, and its response."""

import math
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from schemas import Record
from stages.audio.level import peak
from stages.audio.waveform import Waveform
from stages.dsp.impulse_response import direct_to_reverberant_db, reverberation_time_s
from stages.dsp.shoebox import SPEED_OF_SOUND, WALLS, Room, Walls

HIGHEST_ORDER = 80
"""Of reflections: 700,000 images, a fifth of a second."""
SMALLEST_M = 2.0
FROM_WALLS_M, FROM_SPEAKER_M = 0.5, 0.5
RT60_S = (0.2, 0.8)
_TAIL_DB = -70.0
_PEAK = 0.9


def _require_ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] <= bounds[1]:
        raise ValueError(f"a range is [lowest, highest], not {list(bounds)}")
    return bounds


def _require_shares(bounds: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 < bounds[0] <= bounds[1] < 1.0:
        raise ValueError(f"absorption lies between 0 and 1, not {bounds}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_require_ordered)]
"""Lowest and highest."""
Shares = Annotated[Range, AfterValidator(_require_shares)]
"""Of energy that a wall takes, lowest and highest."""


class UnequalWalls(Record):
    """Walls of which a few are damped, each drawn by itself; all numbers are SonicMaster's "mix" rooms'."""

    damped: tuple[Annotated[int, Field(ge=0, le=6)], Annotated[int, Field(ge=0, le=6)]] = (1, 2)
    """How many of the six are damped, at least and at most."""
    bands_hz: tuple[float, ...] = (125, 250, 500, 1_000, 2_000, 4_000, 8_000, 12_000, 16_000, 20_000)
    """Centres of the bands that the shares below are for."""
    damped_absorption: tuple[Shares, ...] = (
        *((0.15, 0.5), (0.15, 0.5), (0.15, 0.5), (0.15, 0.6), (0.15, 0.7)),
        *((0.25, 0.8), (0.25, 0.85), (0.25, 0.9), (0.3, 0.9), (0.35, 0.95)),
    )
    """Share of energy that a damped wall takes, by band."""
    bare_absorption: tuple[Shares, ...] = (
        *((0.05, 0.15), (0.05, 0.15), (0.06, 0.15), (0.08, 0.2), (0.1, 0.2)),
        *((0.12, 0.22), (0.13, 0.23), (0.15, 0.25), (0.15, 0.25), (0.17, 0.27)),
    )
    """Share of energy that one of the others takes, by band."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _require_ordered(self.damped)
        if not len(self.bands_hz) == len(self.damped_absorption) == len(self.bare_absorption) > 0:
            raise ValueError("bands_hz, damped_absorption and bare_absorption have an entry for each band")
        if list(self.bands_hz) != sorted(set(self.bands_hz)) or self.bands_hz[0] <= 0.0:
            raise ValueError(f"bands_hz rise from above 0, not {list(self.bands_hz)}")
        return self

    def draw(self, rng: np.random.Generator) -> Walls:
        """Return six walls."""
        number = int(rng.integers(*self.damped, endpoint=True))
        damped = rng.permutation(len(WALLS)) < number
        ranges = np.where(damped[:, None, None], self.damped_absorption, self.bare_absorption)
        return Walls(rng.uniform(ranges[..., 0], ranges[..., 1]), self.bands_hz)


class RoomRanges(Record):
    """Which shoebox rooms there may be; each is drawn evenly from these ranges."""

    length_m: Range = (3.0, 10.0)
    width_m: Range = (3.0, 8.0)
    height_m: Range = (2.5, 4.0)
    rt60_s: Range | None = None
    """Reverberation time; 0.2 to 0.8 unless the walls are described."""
    absorption: Shares | None = None
    """Share of energy that all walls take, instead of a reverberation time."""
    unequal_walls: UnequalWalls | None = None
    """Walls that differ from each other and take more at some frequencies, instead of either."""
    max_order: int = Field(default=HIGHEST_ORDER, ge=1, le=HIGHEST_ORDER)
    """How often a sound is reflected at most."""

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if sum(each is not None for each in (self.rt60_s, self.absorption, self.unequal_walls)) > 1:
            raise ValueError("give one of rt60_s, absorption and unequal_walls: one follows from the other")
        smallest_m = min(self.length_m[0], self.width_m[0], self.height_m[0])
        if smallest_m < SMALLEST_M:
            raise ValueError(f"rooms have at least {SMALLEST_M:g} m a side, not {smallest_m:g}")
        if self.rt60_s is not None and self.rt60_s[0] <= 0.0:
            raise ValueError(f"rt60_s is over 0, not {self.rt60_s[0]:g}")
        return self


def simulate_room(
    rng: np.random.Generator, sample_rate: int, ranges: RoomRanges
) -> tuple[Waveform, dict[str, float]]:
    """Return the response of a room drawn from ``ranges`` and what is known of it; peak 0.9.

    Reverberation times that would need reflections of a higher order than ``max_order`` in the drawn
    room are lowered to what it can have. ``rt60_s`` is measured, ``direct_path_sample`` is exact.
    """
    room = draw_room(rng, ranges)
    walls, target_s = _walls(rng, room, sample_rate, ranges)
    response = _trim(room.response(walls, sample_rate, _order(room, target_s, ranges)))
    direct = room.direct_path_sample(sample_rate)
    facts = {
        "direct_path_sample": direct,
        "rt60_target_s": target_s,
        "drr_db": direct_to_reverberant_db(response, round(direct)),
        "distance_m": room.distance_m,
        **dict(zip(("length_m", "width_m", "height_m"), map(float, room.size_m), strict=True)),
        **_places(room),
        **_facts_of(walls),
    }
    rt60_s = reverberation_time_s(response, round(direct))
    return response.scale(_PEAK / peak(response.samples)), (
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


def _walls(rng: np.random.Generator, room: Room, sample_rate: int, ranges: RoomRanges) -> tuple[Walls, float]:
    """Return the walls, and how long the room is to ring between them."""
    longest_s = (ranges.max_order + 1) * room.reach_m / SPEED_OF_SOUND
    if ranges.unequal_walls is not None:
        walls = ranges.unequal_walls.draw(rng)
    elif ranges.absorption is not None:
        walls = Walls.alike(rng.uniform(*ranges.absorption))
    else:
        target_s = min(rng.uniform(*(ranges.rt60_s or RT60_S)), longest_s)
        return _tune_walls(room, sample_rate, target_s, ranges), target_s
    return walls, min(room.rings_s(walls), longest_s)


def _tune_walls(room: Room, sample_rate: int, target_s: float, ranges: RoomRanges) -> Walls:
    """Return walls that take as much as lets the room ring for ``target_s``.

    Eyring's formula, then corrected by what a first simulation of the room rings for: images in
    oblong rooms decay more slowly than a diffuse field.
    """
    decay = room.eyring_s / target_s
    first = room.response(Walls.alike(1.0 - math.exp(-decay)), sample_rate, _order(room, target_s, ranges))
    measured_s = reverberation_time_s(first, round(room.direct_path_sample(sample_rate)))
    return Walls.alike(1.0 - math.exp(-decay * (measured_s or target_s) / target_s))


def _order(room: Room, rt60_s: float, ranges: RoomRanges) -> int:
    """Return how often a sound must be reflected to be heard for ``rt60_s``, as far as it may."""
    return min(ranges.max_order, math.ceil(SPEED_OF_SOUND * rt60_s / room.reach_m))


def _places(room: Room) -> dict[str, float]:
    """Return where speaker and microphone are, from the western, southern and lower corner on."""
    points = {"speaker": room.speaker_m, "microphone": room.microphone_m}
    return {
        f"{name}_{axis}_m": float(point[place])
        for name, point in points.items()
        for place, axis in enumerate("xyz")
    }


def _facts_of(walls: Walls) -> dict[str, float]:
    """Return the mean share of energy that is taken, and that of each wall if they differ."""
    facts = {"absorption": float(walls.absorption.mean())}
    if walls.bands_hz:
        means = walls.absorption.mean(axis=1).tolist()
        facts |= {f"absorption_{name}": mean for name, mean in zip(WALLS, means, strict=True)}
    return facts


def _trim(response: Waveform) -> Waveform:
    """Return ``response`` without the tail that holds less than −70 dB of its energy."""
    remaining = np.cumsum(np.square(response.samples[::-1], dtype=np.float64))[::-1]
    audible = np.count_nonzero(remaining > 10.0 ** (_TAIL_DB / 10.0) * remaining[0])
    return response.with_samples(response.samples[: int(audible) + 1])
