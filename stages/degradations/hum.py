"""Hum: the mains and its harmonics, from a bad cable or a transformer."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from stages.audio.level import from_db
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.degradations.common.added_sound import AddedSound, Sound
from stages.operators.degradation import DEGRADATIONS
from stages.operators.distributions import Distribution, Integer, OneOf, Uniform
from stages.operators.rng import rng_for

NYQUIST_SHARE = 0.95


@DEGRADATIONS.register
class Hum(AddedSound):
    """Steady tones at ``mains_hz`` and its multiples, their phases by chance.

    Odd harmonics are the louder ones, because a transformer's core saturates alike on both half-waves.
    The ranges are ours: published recipes have no hum of their own.
    """

    kind: ClassVar[str] = "hum"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "mains_hz": OneOf(values=(50.0, 60.0)),
        "num_harmonics": Integer(low=1, high=20),
        "seed": Integer(low=0, high=2**31 - 1),
        "snr_db": Uniform(low=5.0, high=30.0),
    }

    mains_hz: float = Field(ge=10.0, le=500.0)
    """50 Hz in most of the world, 60 Hz in the Americas; 400 Hz on board of aircraft."""
    num_harmonics: int = Field(default=10, ge=0, le=60)
    """Tones above ``mains_hz``; those beyond the speech's bandwidth are left out."""
    slope_db_per_octave: float = Field(default=-6.0, ge=-24.0, le=6.0)
    """How the harmonics fall off."""
    even_harmonics_db: float = Field(default=-6.0, ge=-60.0, le=20.0)
    """Level of the 2nd, 4th … harmonic over what the slope gives."""
    seed: int = Field(ge=0)
    """Decides the phases."""

    def sound_for(self, speech: Waveform, sources: AudioSource) -> Sound:  # noqa: ARG002
        """Return the tones, and how many there are."""
        orders = np.arange(1, self.num_harmonics + 2)
        orders = orders[orders * self.mains_hz < NYQUIST_SHARE * speech.sample_rate / 2]
        levels_db = self.slope_db_per_octave * np.log2(orders) + self.even_harmonics_db * (orders % 2 == 0)
        phases = rng_for(self.seed, self.kind).uniform(0.0, 2 * np.pi, self.num_harmonics + 1)
        amplitudes = [from_db(level_db) for level_db in levels_db.tolist()]
        weights = np.array(amplitudes) * np.exp(1j * phases[: orders.size])
        return self._tones(weights, speech), {"tones": float(orders.size)}

    def _tones(self, weights: np.ndarray, speech: Waveform) -> Samples:
        """Return the sum of the harmonics: a polynomial in one turning pointer, by Horner's rule."""
        turns = np.arange(speech.samples.size) * (self.mains_hz / speech.sample_rate) % 1.0
        angle = (2.0 * np.pi * turns).astype(np.float32)
        pointer = np.empty(angle.size, np.complex64)
        pointer.real, pointer.imag = np.cos(angle), np.sin(angle)
        total = np.zeros_like(pointer)
        for weight in weights[::-1]:
            total += np.complex64(weight)
            total *= pointer
        return np.ascontiguousarray(total.imag)
