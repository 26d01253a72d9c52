"""Declipping: samples that were flattened are made anew so that few frequencies explain each frame."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import fft

from stages.audio.waveform import Samples, Waveform
from stages.dsp.short_time import OVERLAP
from stages.operators.distributions import Distribution, Integer, Uniform
from stages.operators.restorer import RESTORERS, Restorer

TOP_SHARE = 0.01
"""How far under its highest value a side may be flat: codecs and resamplers leave ripples."""
CROWDED = 4.0
"""A side is flat where so many times as many samples are in its top hundredth as in the next one."""
FEWEST = 4
REDUNDANCY = 2
CLOSE_ENOUGH = 0.1
"""How far a frame may be from its sparse spectrum, relative to its energy: A-SPADE's usual bound."""
HIGHEST = 4.0
"""No restored sample is so many times the clipping level, 12 dB over it: beyond that it is a guess."""
_FRAMES_AT_ONCE = 512

Bounds = tuple[Samples, Samples]
_Frames = NDArray[np.float32]


@RESTORERS.register
class Declip(Restorer):
    """A-SPADE (Kitić, Bertin and Gribonval, LVA/ICA 2015): sparse spectra, consistent with what was clipped.

    The clipping level is read off each side of the signal. What was not clipped stays as it is; what was is
    at least as loud as it came. Without clipping the input is returned.
    """

    kind: ClassVar[str] = "declip"
    cost_s_per_s: ClassVar[float] = 0.06
    draws: ClassVar[Mapping[str, Distribution]] = {
        "frame_ms": Uniform(low=24.0, high=48.0),
        "step": Integer(low=1, high=4),
    }

    frame_ms: float = Field(default=32.0, ge=8.0, le=200.0)
    step: int = Field(default=2, ge=1, le=16)
    """How many more frequencies are allowed at each iteration."""
    iterations: int = Field(default=80, ge=1, le=500)
    """After so many a frame is taken as it is, although its spectrum is not sparse."""

    @property
    def restores_level(self) -> bool:
        """True: what was not clipped keeps its level."""
        return True

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return the inputs with their peaks; they may exceed full scale."""
        return [waveform.with_samples(self._declip(waveform)) for waveform in batch]

    def _declip(self, waveform: Waveform) -> Samples:
        samples = waveform.samples
        low, high = sample_bounds_of(samples)
        if not np.any(low < high):
            return samples
        hop = fft.next_fast_len(round(self.frame_ms * waveform.sample_rate / 1000 / OVERLAP), real=True)
        frame = OVERLAP * hop
        lead = frame - hop
        tail = -samples.size % hop + lead
        views = [
            np.lib.stride_tricks.sliding_window_view(np.pad(each, (lead, tail)), frame)[::hop]
            for each in (samples, low, high)
        ]
        frames = views[0].copy()
        damaged = np.flatnonzero(np.any(views[1] < views[2], axis=1))
        for first in range(0, damaged.size, _FRAMES_AT_ONCE):
            some = damaged[first : first + _FRAMES_AT_ONCE]
            frames[some] = self._project_to_sparse(*(view[some] for view in views))
        mixed = _overlap(frames, hop)[lead : lead + samples.size]
        return np.clip(mixed, low, high)

    def _project_to_sparse(self, frames: _Frames, low: _Frames, high: _Frames) -> _Frames:
        """Return frames between ``low`` and ``high`` whose spectra are nearly sparse."""
        size, window = REDUNDANCY * frames.shape[1], _window(frames.shape[1])
        restored, left = frames.copy(), np.arange(len(frames))
        gap = np.zeros((len(frames), size // 2 + 1), dtype=np.complex64)
        for iteration in range(1, self.iterations + 1):
            spectra = fft.rfft(restored[left] * window, size, axis=1)
            sparse = _keep_largest(spectra + gap, iteration * self.step)
            estimate = fft.irfft(sparse - gap, size, axis=1)[:, : frames.shape[1]] / window
            restored[left] = np.clip(estimate, low[left], high[left])
            spectra = fft.rfft(restored[left] * window, size, axis=1)
            gap += spectra - sparse
            missed = _norm(spectra - sparse) > CLOSE_ENOUGH * _norm(spectra)
            left, gap = left[missed], gap[missed]
            if left.size == 0:
                break
        return restored


def sample_bounds_of(samples: Samples) -> Bounds:
    """Return the least and the most that each sample may have been: itself, but for clipped ones."""
    low, high = samples.copy(), samples.copy()
    for side, bound in ((1.0, high), (-1.0, low)):
        level = _clipping_level(side * samples)
        if level is not None:
            flat = side * samples >= (1.0 - TOP_SHARE) * level
            bound[flat] = side * HIGHEST * level
    return low, high


def _clipping_level(samples: Samples) -> float | None:
    """Return the highest value if samples crowd there as they do nowhere under it, else None."""
    highest = float(samples.max())
    if highest <= 0.0:
        return None
    edges = highest * (1.0 - TOP_SHARE * np.array([0, 1, 2, 3]))
    above = [int(np.count_nonzero(samples >= edge)) for edge in edges]
    top, beneath = above[1], (above[3] - above[1]) / 2
    return highest if top >= FEWEST and top > CROWDED * beneath else None


def _keep_largest(spectra: NDArray[np.complex64], count: int) -> NDArray[np.complex64]:
    """Return the spectra with nothing but their ``count`` largest bins."""
    if count >= spectra.shape[1]:
        return spectra
    powers = np.square(spectra.real) + np.square(spectra.imag)
    threshold = np.partition(powers, -count, axis=1)[:, -count]
    return np.where(powers >= threshold[:, np.newaxis], spectra, 0)


def _norm(spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(spectra, axis=1))


def _window(size: int) -> Samples:
    """Return a window that is nowhere nothing, for what it did must be undone."""
    turn = 2.0 * np.pi * (np.arange(size) + 0.5) / size
    return np.asarray(0.54 - 0.46 * np.cos(turn), dtype=np.float32)


def _overlap(frames: _Frames, hop: int) -> Samples:
    """Return the mean of what frames say of each sample, those counting most in whose middle it is."""
    weights = _window(frames.shape[1])
    mixed, total = np.zeros((2, len(frames) + OVERLAP - 1, hop), dtype=np.float32)
    for part in range(OVERLAP):
        span = slice(part * hop, (part + 1) * hop)
        mixed[part : part + len(frames)] += frames[:, span] * weights[span]
        total[part : part + len(frames)] += weights[span]
    return (mixed / total).reshape(-1)
