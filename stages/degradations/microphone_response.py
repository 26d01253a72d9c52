"""A microphone's colour: the frequency response of a telephone, a laptop, a cheap headset."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from schemas import AudioRef, Reason, UnfitError
from stages.audio.level import is_silent
from stages.audio.waveform import AudioSource, Waveform
from stages.dsp.spectral_gain import Gains, Hertz, apply_gains
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, Integer, LogUniform, Uniform
from stages.operators.rng import rng_for

SPEECH_HZ = (300.0, 3_400.0)
_KNOTS_PER_OCTAVE = 1.5
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 24_000.0
_LONGEST_S = 1.0


@DEGRADATIONS.register
class MicrophoneResponse(Degradation):
    """The magnitude of a measured ``response``, or of a drawn smooth one, at 0 dB over 300 to 3400 Hz.

    SonicMaster uses twenty measured telephones; the drawn ones have what those have: both ends of the
    spectrum missing, and a few dB of ups and downs between; how much of either is ours. Raises
    ``UnfitError`` for a silent response.
    """

    kind: ClassVar[str] = "microphone_response"
    draws: ClassVar[Mapping[str, Distribution]] = {
        "seed": Integer(low=0, high=2**31 - 1),
        "low_hz": LogUniform(low=60.0, high=400.0),
        "high_hz": LogUniform(low=4_000.0, high=16_000.0),
        "spread_db": Uniform(low=1.0, high=5.0),
    }

    response: AudioRef | None = None
    """A measured impulse response, of which the first second counts; or set ``seed``."""
    seed: int | None = Field(default=None, ge=0)
    """Decides the ups and downs of a drawn response; or set ``response``."""
    low_hz: float = Field(default=150.0, ge=5.0, le=5_000.0)
    """Below this a drawn response falls by 12 dB per octave."""
    high_hz: float = Field(default=8_000.0, ge=500.0, le=100_000.0)
    """Above this a drawn response falls by 24 dB per octave."""
    spread_db: float = Field(default=3.0, ge=0.0, le=20.0)
    """Standard deviation of the ups and downs of a drawn response."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.response is None) == (self.seed is None):
            raise ValueError("set response or seed, and the other one to null")
        return self

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Colour the speech, and report how far the response strays within the band of speech."""
        hertz, levels_db = self._curve(scene.degraded.sample_rate, sources)
        heard = (hertz >= SPEECH_HZ[0]) & (hertz <= SPEECH_HZ[1])
        levels_db = levels_db - levels_db[heard].mean()
        gains = 10.0 ** (levels_db / 20.0)
        degraded = apply_gains(scene.degraded, lambda wanted: np.interp(wanted, hertz, gains))
        return Scene(degraded, scene.reference, {"speech_band_spread_db": float(levels_db[heard].std())})

    def _curve(self, sample_rate: int, sources: AudioSource) -> tuple[Hertz, Gains]:
        """Return frequencies, and the response at them in dB."""
        if self.response is not None:
            return _read_measured(sources.read(self.response, sample_rate))
        hertz = np.geomspace(_LOWEST_HZ, max(_HIGHEST_HZ, sample_rate / 2), 2_000)
        return hertz, self._draw_curve_db(hertz)

    def _draw_curve_db(self, hertz: Hertz) -> Gains:
        octaves = np.log2(hertz / hertz[0])
        knots = np.arange(int(octaves[-1] * _KNOTS_PER_OCTAVE) + 2) / _KNOTS_PER_OCTAVE
        ups = self.spread_db * rng_for(self.seed or 0, self.kind).standard_normal(knots.size)
        low = 10.0 * np.log10(1.0 + (self.low_hz / hertz) ** 4)
        high = 10.0 * np.log10(1.0 + (hertz / self.high_hz) ** 8)
        return _smooth(octaves, knots, ups) - low - high


def _smooth(places: Hertz, knots: NDArray[np.float64], values: Gains) -> Gains:
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415 - 0.5 s

    return np.asarray(PchipInterpolator(knots, values)(places))


def _read_measured(response: Waveform) -> tuple[Hertz, Gains]:
    samples = response.samples[: round(_LONGEST_S * response.sample_rate)]
    if is_silent(samples):
        raise UnfitError(Reason.SILENT, "the response is silent")
    size = max(samples.size, response.sample_rate // 20)
    magnitude = np.abs(np.fft.rfft(samples, size))
    levels_db = 20.0 * np.log10(np.maximum(magnitude, 1e-6 * magnitude.max()), dtype=np.float64)
    return np.linspace(0.0, response.sample_rate / 2, magnitude.size), np.asarray(levels_db)
