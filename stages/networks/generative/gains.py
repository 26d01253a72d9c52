"""Gains of bands: what leads from the estimate to the clean speech, in decibels, and how it is applied."""

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stages.networks.generative.spectra import FRAMES_PER_STEP, GENERATIVE_SAMPLE_RATE, NUM_BINS, TRANSFORM

NUM_BANDS = 48
TOP_HZ = (6_500.0, 7_300.0)
TINY_POWER = 1e-8
GREATEST_GAIN_DB = 24.0
GAIN_UNIT_DB = 6.0
"""Networks hear and give gains in units of this."""
LEAST_BAND_POWER = 1e-3
"""Some 45 dB under loud speech at the networks' level: quieter is silence on both sides, and no gain.

Below, the clean side holds what is left of its own noise, which nobody can predict. With 1e-5 instead there
are 7.8 dB to generate and not 4.8, and codes of them sound no better (OVRL 2.45 and 2.52).
"""


def band_levels(spectra: Tensor) -> Tensor:
    """Return levels in dB (batch, bands, steps) of complex spectra (batch, bins, frames)."""
    power = spectra.abs().square()
    per_step = power.reshape(*power.shape[:2], -1, FRAMES_PER_STEP).mean(dim=-1)
    powers = torch.einsum("kb,nbt->nkt", _bands(spectra.device), per_step)
    levels: Tensor = 10.0 * (powers + LEAST_BAND_POWER).log10()
    return levels


def gains_between(estimate: Tensor, clean: Tensor) -> Tensor:
    """Return gains (batch, bands, steps) from one spectrum to the other, in units of ``GAIN_UNIT_DB``."""
    gains_db = (band_levels(clean) - band_levels(estimate)).clamp(-GREATEST_GAIN_DB, GREATEST_GAIN_DB)
    return gains_db / GAIN_UNIT_DB


def apply_band_gains(estimate: Tensor, gains: Tensor) -> Tensor:
    """Return the estimate's spectra after gains, drawn smoothly through bands and steps."""
    gains_db = (gains * GAIN_UNIT_DB).clamp(-GREATEST_GAIN_DB, GREATEST_GAIN_DB)
    per_frame = functional.interpolate(
        gains_db, scale_factor=float(FRAMES_PER_STEP), mode="linear", align_corners=False
    )
    per_bin = torch.einsum("kb,nkt->nbt", _spread(estimate.device), per_frame)
    return estimate * 10.0 ** (per_bin / 20.0)


def gains_at_the_top(before: Tensor, after: Tensor) -> Tensor:
    """Return gains in dB (batch, steps) from 6.5 to 7.3 kHz, the highest that resamplers leave alone."""
    low, high = (round(hz * TRANSFORM / GENERATIVE_SAMPLE_RATE) for hz in TOP_HZ)
    powers = (side[:, low:high].abs().square().mean(dim=1) + TINY_POWER for side in (before, after))
    per_step = [power.reshape(len(power), -1, FRAMES_PER_STEP).mean(dim=-1) for power in powers]
    return 10.0 * (per_step[1] / per_step[0]).log10()


@cache
def _centres_hz() -> np.ndarray:
    """Return centres evenly spaced on the scale of Glasberg and Moore (1990), but at least a bin apart."""
    top = 21.4 * np.log10(1.0 + 0.00437 * GENERATIVE_SAMPLE_RATE / 2)
    even = (10.0 ** (np.linspace(0.0, top, NUM_BANDS) / 21.4) - 1.0) / 0.00437
    return np.maximum(even, np.arange(NUM_BANDS) * GENERATIVE_SAMPLE_RATE / TRANSFORM)


@cache
def _spread(device: torch.device) -> Tensor:
    """Return (bands, bins): triangles around the centres that add up to 1 in every bin."""
    bins_hz = np.arange(NUM_BINS) * GENERATIVE_SAMPLE_RATE / TRANSFORM
    rows = [np.interp(bins_hz, _centres_hz(), row) for row in np.eye(NUM_BANDS)]
    return torch.tensor(np.stack(rows), dtype=torch.float32, device=device)


@cache
def _bands(device: torch.device) -> Tensor:
    """Return (bands, bins): the triangles, each adding up to 1, for mean powers."""
    spread = _spread(device)
    return spread / spread.sum(dim=1, keepdim=True).clamp_min(1e-6)
