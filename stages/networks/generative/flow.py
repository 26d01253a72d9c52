"""Gains by flow matching: from noise, around the estimate, in a few steps (Lipman et al. 2023)."""

import torch
from pydantic import Field
from torch import Tensor, nn

from schemas import Record
from stages.networks.generative.blocks import Clock, Trunk
from stages.networks.generative.gains import NUM_BANDS

LEVEL_UNIT_DB = 20.0
LEVEL_MIDDLE_DB = -30.0


class GeneratorSettings(Record):
    """How large a generating network is, and what the network before it gives."""

    channels: int = Field(default=256, ge=8)
    blocks: int = Field(default=6, ge=1)
    hidden: int = Field(default=256, ge=8)
    """Channels of the predictive network."""


class Condition(nn.Module):
    """What generators know: the predictive network's state, levels of the degraded and of the estimate."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        self.enter = nn.Conv1d(settings.hidden + 2 * NUM_BANDS, settings.channels, 1)

    def forward(self, hidden: Tensor, degraded_db: Tensor, estimate_db: Tensor) -> Tensor:
        """Return (batch, channels, steps)."""
        levels = (torch.cat([degraded_db, estimate_db], dim=1) - LEVEL_MIDDLE_DB) / LEVEL_UNIT_DB
        entered: Tensor = self.enter(torch.cat([hidden, levels], dim=1))
        return entered


class FlowNetwork(nn.Module):
    """The velocity of gains on their way from noise to what the clean speech has."""

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        self.settings = settings
        self.condition = Condition(settings)
        self.clock = Clock(settings.channels)
        self.trunk = Trunk(
            NUM_BANDS + settings.channels, settings.channels, NUM_BANDS, settings.blocks, conditioned=True
        )

    def forward(self, noised: Tensor, condition: Tensor, moments: Tensor) -> Tensor:
        """Return the velocity of ``noised`` (batch, bands, steps) at ``moments`` (batch,) from 0 to 1."""
        velocity: Tensor = self.trunk(torch.cat([noised, condition], dim=1), self.clock(moments))
        return velocity

    def errors(self, gains: Tensor, condition: Tensor, noise: Tensor, moments: Tensor) -> Tensor:
        """Return squared errors (batch, bands, steps) of the velocity where noise and moments say."""
        place = moments[:, None, None]
        velocity = self((1.0 - place) * noise + place * gains, condition, moments)
        return (velocity - (gains - noise)).square()

    def draw(self, condition: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Return gains to which the flow leads from ``noise``, in ``steps`` steps of the midpoint rule."""
        gains, length = noise, 1.0 / steps
        for number in range(steps):
            start = torch.full((len(noise),), number * length, device=noise.device)
            halfway = gains + 0.5 * length * self(gains, condition, start)
            gains = gains + length * self(halfway, condition, start + 0.5 * length)
        return gains
