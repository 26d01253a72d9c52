"""Shoebox rooms: what a microphone hears of a speaker in a box, by the image source method."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.audio.waveform import Waveform

SPEED_OF_SOUND = 343.0
"""In m/s; what pyroomacoustics assumes."""
OFFSET_SAMPLES = 40
"""Constant delay of pyroomacoustics: half of its 81-tap fractional delay filters."""
WALLS = ("west", "east", "south", "north", "floor", "ceiling")

Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Walls:
    """What the six walls take, in the order of ``WALLS``: shares of energy, in all bands alike or by band."""

    absorption: NDArray[np.float64]
    """A row per wall, a column per band."""
    bands_hz: tuple[float, ...] = ()
    """Centres of the bands; none if there is one column for all frequencies."""

    @classmethod
    def alike(cls, absorption: float) -> "Walls":
        """Return six walls that take the same share at every frequency."""
        return cls(np.full((len(WALLS), 1), absorption))

    def materials(self) -> Any:
        """Return them as pyroomacoustics has them."""
        from pyroomacoustics import Material  # noqa: PLC0415 - 1 s

        if not self.bands_hz:
            return {name: Material(float(wall[0])) for name, wall in zip(WALLS, self.absorption, strict=True)}
        bands = list(self.bands_hz)
        return {
            name: Material({"coeffs": wall.tolist(), "center_freqs": bands})
            for name, wall in zip(WALLS, self.absorption, strict=True)
        }


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
        volume_m3, surface_m2 = float(np.prod(self.size_m)), float(self._areas_m2.sum())
        return 24.0 * math.log(10.0) * volume_m3 / (SPEED_OF_SOUND * surface_m2)

    @property
    def reach_m(self) -> float:
        """Distance that one more order of reflections adds at least."""
        a, b, c = np.sort(self.size_m)
        return float(min(x * y / math.hypot(x, y) for x, y in ((a, b), (a, c), (b, c))))

    @property
    def _areas_m2(self) -> NDArray[np.float64]:
        a, b, c = self.size_m
        return np.repeat([b * c, a * c, a * b], 2)

    def rings_s(self, walls: Walls) -> float:
        """Return Eyring's reverberation time in the band that rings longest."""
        mean = self._areas_m2 @ walls.absorption / self._areas_m2.sum()
        return -self.eyring_s / math.log(1.0 - float(mean.min()))

    def direct_path_sample(self, sample_rate: int) -> float:
        """Return where the direct sound is in ``response``: distance over speed of sound, and the offset."""
        return self.distance_m / SPEED_OF_SOUND * sample_rate + OFFSET_SAMPLES

    def response(self, walls: Walls, sample_rate: int, order: int) -> Waveform:
        """Return the response with reflections up to ``order``, by pyroomacoustics."""
        import pyroomacoustics  # noqa: PLC0415 - 1 s

        pyroomacoustics.constants.set("num_threads", 1)  # two threads add in another order: other bits
        box = pyroomacoustics.ShoeBox(
            self.size_m, fs=sample_rate, materials=walls.materials(), max_order=order
        )
        box.add_source(self.speaker_m)
        box.add_microphone(self.microphone_m)
        box.compute_rir()
        return Waveform(np.asarray(box.rir[0][0], dtype=np.float32), sample_rate)
