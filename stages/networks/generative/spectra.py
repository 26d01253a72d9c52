"""Spectra of 32 ms every 8 ms, and back: what the networks hear, and how gains become sound."""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

GENERATIVE_SAMPLE_RATE = 16_000
TRANSFORM = 512
FRAME_HOP = 128
NUM_BINS = TRANSFORM // 2 + 1
FRAMES_PER_STEP = 2
"""Networks step through time by two frames at once: 62.5 steps per second."""
STEP = FRAME_HOP * FRAMES_PER_STEP
LEVEL_RMS = 0.05
"""Of degraded speech, before anything hears it."""
EXCITATION_DB = -45.0
"""Of white noise under the degraded speech: something for gains to lift where the input has nothing."""
GRIFFIN_LIM_MOMENTUM = 0.99


def num_steps(num_samples: int) -> int:
    """Return how many steps of the networks cover so many samples."""
    return num_samples // STEP + 1


def analyse(waveforms: Tensor) -> Tensor:
    """Return the spectra (batch, bins, frames) of waveforms (batch, samples), two frames for each step."""
    frames = FRAMES_PER_STEP * num_steps(waveforms.shape[-1])
    padding = (TRANSFORM // 2, frames * FRAME_HOP - waveforms.shape[-1] + TRANSFORM // 2)
    padded = functional.pad(waveforms, padding)
    spectra = torch.stft(
        padded, TRANSFORM, FRAME_HOP, window=_window(waveforms.device), center=False, return_complex=True
    )
    return spectra[..., :frames]


def overlap_add(spectra: Tensor, num_samples: int) -> Tensor:
    """Return waveforms (batch, samples) whose spectra are nearest to these (Griffin and Lim 1984)."""
    window = _window(spectra.device)
    frames = torch.fft.irfft(spectra, n=TRANSFORM, dim=1) * window[:, None]
    length = (spectra.shape[-1] - 1) * FRAME_HOP + TRANSFORM
    fold = {"output_size": (1, length), "kernel_size": (1, TRANSFORM), "stride": (1, FRAME_HOP)}
    mixed = functional.fold(frames, **fold)[:, 0, 0]
    weights = (window**2)[None, :, None].expand(1, -1, spectra.shape[-1])
    weight = functional.fold(weights, **fold)[:, 0, 0].clamp_min(1e-3)
    start = TRANSFORM // 2
    return (mixed / weight)[:, start : start + num_samples]


def excite(waveforms: Tensor) -> Tensor:
    """Return waveforms at the networks' level with the same faint noise under each: always the same."""
    noise = torch.randn(waveforms.shape[-1], generator=torch.Generator().manual_seed(0))
    return waveforms + LEVEL_RMS * 10 ** (EXCITATION_DB / 20) * noise.to(waveforms.device)


def pair_frames(frames: Tensor) -> Tensor:
    """Return (batch, two frames' bins, steps) for (batch, bins, frames)."""
    batch, bins, count = frames.shape
    paired = frames.reshape(batch, bins, count // FRAMES_PER_STEP, FRAMES_PER_STEP)
    return paired.transpose(2, 3).reshape(batch, FRAMES_PER_STEP * bins, count // FRAMES_PER_STEP)


def unpair_frames(steps: Tensor) -> Tensor:
    """Return (batch, bins, frames) for (batch, two frames' bins, steps)."""
    batch, both, count = steps.shape
    apart = steps.reshape(batch, both // FRAMES_PER_STEP, FRAMES_PER_STEP, count).transpose(2, 3)
    return apart.reshape(batch, both // FRAMES_PER_STEP, FRAMES_PER_STEP * count)


def rebuild_phase(spectra: Tensor, num_samples: int, iterations: int) -> Tensor:
    """Return waveforms with these magnitudes, phases made consistent from those of ``spectra``.

    The fast algorithm of Griffin and Lim of Perraudin, Balazs and Søndergaard (2013).
    """
    magnitudes = spectra.abs()
    phased, before = spectra, torch.zeros_like(spectra)
    for _ in range(iterations):
        consistent = analyse(overlap_add(phased, num_samples))
        moved = consistent + GRIFFIN_LIM_MOMENTUM * (consistent - before)
        before = consistent
        phased = magnitudes * moved / moved.abs().clamp_min(1e-9)
    return overlap_add(phased, num_samples)


@cache
def _window(device: torch.device) -> Tensor:
    return torch.hann_window(TRANSFORM, device=device)
