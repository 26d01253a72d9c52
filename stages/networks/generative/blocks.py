"""Convolutional blocks over time, and the trunk that they make."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

BLOCK_KERNEL = 7
BLOCK_DILATIONS = (1, 2, 4, 1, 2, 4, 1, 2)
WIDENING = 3
SCALE_START = 0.1


class ConvNextBlock(nn.Module):
    """Depthwise convolution over time, then two layers for each step (Liu et al. 2022, in one dimension).

    ``condition`` (batch, channels) scales and shifts what was normalised: the time of a flow, say.
    """

    def __init__(self, channels: int, dilation: int, *, conditioned: bool = False) -> None:
        super().__init__()
        reach = dilation * (BLOCK_KERNEL - 1) // 2
        self.depthwise = nn.Conv1d(
            channels, channels, BLOCK_KERNEL, padding=reach, dilation=dilation, groups=channels
        )
        self.norm = nn.LayerNorm(channels, elementwise_affine=not conditioned)
        self.widen = nn.Linear(channels, WIDENING * channels)
        self.narrow = nn.Linear(WIDENING * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), SCALE_START))
        self.modulate = nn.Linear(channels, 2 * channels) if conditioned else None

    def forward(self, steps: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return (batch, channels, steps) of the same shape."""
        inner = self.norm(self.depthwise(steps).transpose(1, 2))
        if self.modulate is not None and condition is not None:
            gain, shift = self.modulate(condition)[:, None].chunk(2, dim=-1)
            inner = inner * (1.0 + gain) + shift
        inner = self.narrow(nn.functional.gelu(self.widen(inner)))
        moved: Tensor = steps + (self.scale * inner).transpose(1, 2)
        return moved


class Trunk(nn.Module):
    """A layer in, blocks whose reach changes, a norm and a layer out; each of them on (batch, …, steps)."""

    def __init__(
        self, inputs: int, channels: int, outputs: int, num_blocks: int, *, conditioned: bool = False
    ) -> None:
        super().__init__()
        self.enter = nn.Conv1d(inputs, channels, 1)
        self.blocks = nn.ModuleList(
            ConvNextBlock(channels, dilation, conditioned=conditioned) for dilation in _dilations(num_blocks)
        )
        self.norm = nn.LayerNorm(channels)
        self.leave = nn.Conv1d(channels, outputs, 1)

    def hidden(self, inputs: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the state (batch, channels, steps) before the last layer."""
        steps = self.enter(inputs)
        for block in self.blocks:
            steps = block(steps, condition)
        normed: Tensor = self.norm(steps.transpose(1, 2)).transpose(1, 2)
        return normed

    def forward(self, inputs: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the outputs (batch, outputs, steps)."""
        outputs: Tensor = self.leave(self.hidden(inputs, condition))
        return outputs


class Clock(nn.Module):
    """Moments from 0 to 1 as vectors: waves of many lengths, then two layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self._half = channels // 2
        self.layers = nn.Sequential(
            nn.Linear(2 * self._half, channels), nn.GELU(), nn.Linear(channels, channels)
        )

    def forward(self, moments: Tensor) -> Tensor:
        """Return (batch, channels) for moments (batch,)."""
        rates = torch.exp(torch.linspace(0.0, math.log(1_000.0), self._half, device=moments.device))
        turns = moments[:, None] * rates
        told: Tensor = self.layers(torch.cat([turns.sin(), turns.cos()], dim=1))
        return told


def _dilations(num_blocks: int) -> Sequence[int]:
    return [BLOCK_DILATIONS[place % len(BLOCK_DILATIONS)] for place in range(num_blocks)]
