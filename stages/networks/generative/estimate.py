"""The predictive network: degraded speech in, an estimate of the clean spectrum out, one gain per bin."""

from typing import NamedTuple

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from schemas import Record
from stages.networks.generative.blocks import Trunk
from stages.networks.generative.spectra import (
    FRAMES_PER_STEP,
    NUM_BINS,
    analyse,
    excite,
    pair_frames,
    unpair_frames,
)

COMPRESSION = 0.3
"""Exponent of magnitudes, about as loudness grows."""
LEAST_MAGNITUDE = 1e-5
GREATEST_GAIN = 10.0


class EstimatorSettings(Record):
    """How large the network is."""

    channels: int = Field(default=256, ge=8)
    blocks: int = Field(default=8, ge=1)


class Estimate(NamedTuple):
    """What the predictive network makes of degraded speech."""

    degraded: Tensor
    """Spectra (batch, bins, frames), complex, with the excitation."""
    spectra: Tensor
    """The estimate: the same after one gain per bin."""
    hidden: Tensor
    """What the network knows of each step (batch, channels, steps)."""


class Estimator(nn.Module):
    """Gains from 0 to 10 for each bin of each frame; phases are those of the input."""

    def __init__(self, settings: EstimatorSettings) -> None:
        super().__init__()
        self.settings = settings
        both = FRAMES_PER_STEP * NUM_BINS
        self.trunk = Trunk(both, settings.channels, both, settings.blocks)

    def forward(self, degraded: Tensor) -> Estimate:
        """Return the estimate for waveforms (batch, samples) at the networks' level."""
        spectra = analyse(excite(degraded))
        hidden = self.trunk.hidden(pair_frames(describe(spectra)))
        gains = functional.softplus(unpair_frames(self.trunk.leave(hidden)) + 0.5).clamp_max(GREATEST_GAIN)
        return Estimate(spectra, gains * spectra, hidden)


def describe(spectra: Tensor) -> Tensor:
    """Return logarithms of magnitudes of about unit size."""
    described: Tensor = (spectra.abs() + 1e-4).log() / 3.0 + 1.0
    return described


def estimate_error(estimate: Estimate, clean: Tensor) -> Tensor:
    """Return the mean squared error of compressed magnitudes, after Braun and Tashev (2021)."""
    return (compress(estimate.spectra) - compress(analyse(clean))).square().mean()


def compress(spectra: Tensor) -> Tensor:
    """Return magnitudes to the power 0.3."""
    compressed: Tensor = (spectra.abs() + LEAST_MAGNITUDE) ** COMPRESSION
    return compressed


def num_parameters(network: nn.Module) -> int:
    """Return how many numbers were learnt."""
    return sum(parameter.numel() for parameter in network.parameters())
