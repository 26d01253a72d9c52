"""Iterative Wiener filter: speech as an all-pole model, noise as the quietest frames sound."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stages.audio.waveform import Waveform
from stages.operators.distributions import Distribution, Integer, Uniform
from stages.operators.restorer import RESTORERS, Restorer

_FRAME = 512
_HOP = _FRAME // 2
_WINDOW = np.sin(np.pi * np.arange(_FRAME) / _FRAME)
QUIET_SHARE = 0.2
NOISE_MEMORY = 0.9
SMALLEST_SPEECH_SHARE = 1e-3
_TINY = 1e-20

_Spectrum = NDArray[np.float64]


@RESTORERS.register
class Wiener(Restorer):
    """Lim and Oppenheim (1978), with a noise spectrum in place of their white noise."""

    kind: ClassVar[str] = "wiener"
    cost_s_per_s: ClassVar[float] = 0.014
    draws: ClassVar[Mapping[str, Distribution]] = {
        "iterations": Integer(low=1, high=3),
        "overestimate": Uniform(low=1.0, high=4.0),
    }

    order: int = Field(default=16, ge=2, le=64)
    """Poles of the speech model."""
    iterations: int = Field(default=2, ge=1, le=10)
    overestimate: float = Field(default=2.0, ge=0.1, le=20.0)
    """How many times its estimate the noise is taken for: more removes more, of the speech too."""

    @property
    def sample_rate(self) -> int:
        """16 kHz: frames of 32 ms."""
        return 16_000

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return the filtered inputs, of the same length."""
        return [waveform.with_samples(self._filter(waveform.samples)) for waveform in batch]

    def _filter(self, samples: NDArray[np.float32]) -> _Spectrum:
        padded = np.pad(samples.astype(np.float64), (_HOP, _FRAME))
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP] * _WINDOW
        spectra = np.fft.rfft(frames)
        powers = np.abs(spectra) ** 2
        restored = np.zeros_like(padded)
        for place, noise in enumerate(_noise_powers(powers)):
            gain = self._gain(spectra[place], self.overestimate * noise)
            overlap = restored[place * _HOP : place * _HOP + _FRAME]
            overlap += np.fft.irfft(gain * spectra[place]) * _WINDOW
        return restored[_HOP : _HOP + samples.size]

    def _gain(self, spectrum: NDArray[np.complex128], noise: _Spectrum) -> _Spectrum:
        """Return the filter; each iteration models the speech that the last one let through."""
        power = np.abs(spectrum) ** 2
        speech_power = max(float((power - noise).mean()), SMALLEST_SPEECH_SHARE * float(power.mean()))
        gain = np.ones_like(power)
        for _ in range(self.iterations):
            shape = _fit_all_pole(gain**2 * power, self.order)
            speech = shape * (speech_power / shape.mean())
            gain = speech / (speech + noise + _TINY)
        return gain


def _noise_powers(powers: NDArray[np.float64]) -> Sequence[_Spectrum]:
    """Return the noise spectrum at each frame: it starts as the mean of the quiet ones and follows them."""
    energies = powers.mean(axis=1)
    sounding = energies > _TINY
    if not sounding.any():
        return list(powers)
    threshold = np.quantile(energies[sounding], QUIET_SHARE)
    quiet = sounding & (energies <= threshold)
    noise = powers[quiet].mean(axis=0)
    tracked = []
    for power, counts in zip(powers, quiet, strict=True):
        noise = NOISE_MEMORY * noise + (1.0 - NOISE_MEMORY) * power if counts else noise
        tracked.append(noise)
    return tracked


def _fit_all_pole(power: _Spectrum, order: int) -> _Spectrum:
    """Return the spectral shape of the all-pole model of a power spectrum (autocorrelation method)."""
    from scipy.linalg import solve_toeplitz  # noqa: PLC0415

    correlation = np.fft.irfft(power)[: order + 1]
    correlation[0] = correlation[0] * (1.0 + 1e-6) + _TINY
    poles = solve_toeplitz(correlation[:-1], correlation[1:])
    return np.asarray(1.0 / np.abs(np.fft.rfft(np.concatenate([[1.0], -poles]), _FRAME)) ** 2)
