"""Limited bandwidth: speech that has been through a lower sampling rate."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import gcd
from typing import ClassVar, Literal

import numpy as np
import soxr
from pydantic import Field
from scipy import fft

from stages.audio.resampling import fit_length
from stages.audio.waveform import AudioSource, Samples, Waveform
from stages.operators.degradation import DEGRADATIONS, Degradation, Scene
from stages.operators.distributions import Distribution, OneOf

Resampler = Literal["soxr_vhq", "soxr_lq", "polyphase", "fourier"]


@DEGRADATIONS.register
class Bandwidth(Degradation):
    """Resampling to ``sample_rate_hz`` and back, without delay.

    Resamplers differ in what they leave around the cut: ``soxr_vhq`` is steep, ``soxr_lq`` and
    ``polyphase`` (scipy's default Kaiser filter) roll off early or let aliases through, ``fourier``
    is a brick wall. They stand for AATC's kaiser_best, kaiser_fast, polyphase and scipy; the two Kaiser
    filters themselves (resampy's) are not shipped. The default rates are those of AATC's script.
    Speech at a rate no higher than ``sample_rate_hz`` stays as it is, and the fact ``limited`` is 0.
    """

    kind: ClassVar[str] = "bandwidth"
    version: ClassVar[int] = 2
    cost_s_per_s: ClassVar[float] = 0.003
    draws: ClassVar[Mapping[str, Distribution]] = {
        "sample_rate_hz": OneOf(values=(4_000, 8_000, 16_000, 24_000, 32_000)),
        "resampler": OneOf(values=("soxr_vhq", "soxr_lq", "polyphase", "fourier")),
    }

    sample_rate_hz: int = Field(ge=1_000)
    resampler: Resampler = "soxr_vhq"

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:  # noqa: ARG002
        """Limit the bandwidth, and report whether there was something to limit."""
        rate = scene.degraded.sample_rate
        facts = {
            "limited": float(self.sample_rate_hz < rate),
            "bandwidth_hz": min(self.sample_rate_hz, rate) / 2.0,
        }
        return Scene(self._limited(scene.degraded), scene.reference, facts)

    def _limited(self, speech: Waveform) -> Waveform:
        if self.sample_rate_hz >= speech.sample_rate:
            return speech
        limited = LIMITERS[self.resampler](speech.samples, speech.sample_rate, self.sample_rate_hz)
        return speech.with_samples(fit_length(limited, speech.samples.size))


_BandLimiter = Callable[[Samples, int, int], Samples]
"""Takes samples, their rate, and the lower rate that they go through."""


def _make_limiter(resample: "Callable[[Samples, int, int], Samples]") -> _BandLimiter:
    return lambda samples, rate_hz, lower_hz: resample(
        resample(samples, rate_hz, lower_hz), lower_hz, rate_hz
    )


def _make_soxr_limiter(quality: str) -> _BandLimiter:
    def resample(samples: Samples, old_hz: int, new_hz: int) -> Samples:
        return np.asarray(soxr.resample(samples, old_hz, new_hz, quality=quality), dtype=np.float32)

    return _make_limiter(resample)


def _limit_polyphase(samples: Samples, old_hz: int, new_hz: int) -> Samples:
    from scipy.signal import resample_poly  # noqa: PLC0415 - 0.8 s

    common = gcd(old_hz, new_hz)
    taps = _kaiser_filter(max(old_hz, new_hz) // common)
    return np.asarray(resample_poly(samples, new_hz, old_hz, window=taps), dtype=np.float32)


@lru_cache(maxsize=64)
def _kaiser_filter(factor: int) -> Samples:
    """Return the filter that ``resample_poly`` would design anew each time, which takes 1 ms of its 4."""
    from scipy.signal import firwin  # noqa: PLC0415 - 0.8 s

    return np.asarray(firwin(20 * factor + 1, 1.0 / factor, window=("kaiser", 5.0)), dtype=np.float32)


def _limit_fourier(samples: Samples, rate_hz: int, lower_hz: int) -> Samples:
    """Return what ``scipy.signal.resample`` there and back leaves, but for the bin at the cut."""
    spectrum = fft.rfft(samples)
    num_lower = max(1, round(samples.size * lower_hz / rate_hz))
    spectrum[(num_lower + 1) // 2 :] = 0.0
    return np.asarray(fft.irfft(spectrum, samples.size), dtype=np.float32)


LIMITERS: Mapping[Resampler, _BandLimiter] = {
    "soxr_vhq": _make_soxr_limiter("VHQ"),
    "soxr_lq": _make_soxr_limiter("LQ"),
    "polyphase": _make_limiter(_limit_polyphase),
    "fourier": _limit_fourier,
}
