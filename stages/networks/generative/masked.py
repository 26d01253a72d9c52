"""Gains by masked generation: codes are guessed in a few rounds, the surest first (MaskGIT, MaskSR)."""

import math

import torch
from torch import Tensor, nn

from stages.networks.generative.blocks import Trunk
from stages.networks.generative.flow import Condition, GeneratorSettings


class MaskedNetwork(nn.Module):
    """Probabilities of all codes at once, from those that are known and from what was heard."""

    def __init__(self, settings: GeneratorSettings, stages: int, codes: int) -> None:
        super().__init__()
        self.settings, self.stages, self.codes = settings, stages, codes
        self.condition = Condition(settings)
        self.embeddings = nn.Parameter(0.02 * torch.randn(stages, codes + 1, settings.channels))
        self.nothing = nn.Parameter(torch.zeros(settings.channels))
        """The condition of whoever has heard nothing, for guidance without a classifier."""
        self.trunk = Trunk(settings.channels, settings.channels, stages * codes, settings.blocks)

    @property
    def mask(self) -> int:
        """The code that stands for one that is not known."""
        return self.codes

    def forward(self, known: Tensor, condition: Tensor) -> Tensor:
        """Return logits (batch, stages, codes, steps) given codes (batch, stages, steps), some masked."""
        embedded = [book[codes] for book, codes in zip(self.embeddings, known.unbind(1), strict=True)]
        heard = condition + torch.stack(embedded).sum(dim=0).transpose(1, 2)
        logits: Tensor = self.trunk(heard)
        return logits.reshape(len(known), self.stages, self.codes, -1)

    def log_likelihood(self, codes: Tensor, is_masked: Tensor, condition: Tensor) -> Tensor:
        """Return log-probabilities (batch, stages, steps) of codes, 0 where they are not masked."""
        logits = self(codes.masked_fill(is_masked, self.mask), condition)
        chosen = logits.log_softmax(dim=2).gather(2, codes[:, :, None])[:, :, 0]
        return chosen * is_masked

    def guided(self, known: Tensor, condition: Tensor, guidance: float) -> Tensor:
        """Return logits moved away from those of whoever has heard nothing (Ho and Salimans 2022)."""
        logits: Tensor = self(known, condition)
        if guidance == 0.0:
            return logits
        deaf = self(known, self.nothing[:, None].expand_as(condition))
        return logits + guidance * (logits - deaf)

    def draw(
        self,
        condition: Tensor,
        generator: torch.Generator,
        *,
        rounds: int,
        temperature: float,
        guidance: float = 0.0,
    ) -> Tensor:
        """Return codes (batch, stages, steps), drawn in rounds that unmask along a cosine."""
        batch, _, steps = condition.shape
        codes = torch.full((batch, self.stages, steps), self.mask, device=condition.device)
        for number in range(rounds):
            logits = self.guided(codes, condition, guidance)
            drawn, confidence = draw_codes(logits, temperature, generator)
            is_open = codes == self.mask
            left = 1.0 - number / rounds
            noise = temperature * left * draw_gumbel(confidence.shape, generator).to(condition.device)
            ranked = (confidence + noise).masked_fill(~is_open, math.inf)
            keep_open = int(math.cos(math.pi / 2 * (number + 1) / rounds) * self.stages * steps)
            stay = ranked.flatten(1).argsort(dim=1)[:, :keep_open]
            codes = torch.where(is_open, drawn, codes)
            codes = codes.flatten(1).scatter(1, stay, self.mask).reshape(codes.shape)
        return codes


def draw_codes(logits: Tensor, temperature: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return codes drawn over dimension 2 of logits at a temperature, and their log-probabilities."""
    noise = draw_gumbel(logits.shape, generator).to(logits.device)
    drawn = (logits + temperature * noise).argmax(dim=2)
    confidence = logits.log_softmax(dim=2).gather(2, drawn[:, :, None])[:, :, 0]
    return drawn, confidence


def draw_gumbel(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Return noise of Gumbel's distribution: added to logits, the greatest is a draw from them."""
    return -(-torch.rand(shape, generator=generator).clamp(1e-9, 1 - 1e-7).log()).log()
