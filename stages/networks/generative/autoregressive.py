"""Gains one frame after the other: a recurrent network over time, and a small one over a frame's codes."""

import torch
from torch import Tensor, nn

from stages.networks.generative.flow import Condition, GeneratorSettings
from stages.networks.generative.masked import draw_gumbel

DEPTH_CHANNELS = 256


class AutoregressiveNetwork(nn.Module):
    """Probabilities of each code given all frames before, the stages before it, and what was heard."""

    def __init__(self, settings: GeneratorSettings, stages: int, codes: int) -> None:
        super().__init__()
        self.settings, self.stages, self.codes = settings, stages, codes
        channels = settings.channels
        self.condition = Condition(settings)
        self.embeddings = nn.Parameter(0.02 * torch.randn(stages, codes, channels))
        self.start = nn.Parameter(torch.zeros(channels))
        self.over_time = nn.GRU(channels, 2 * channels, num_layers=1, batch_first=True)
        self.enter_depth = nn.Linear(2 * channels + channels, DEPTH_CHANNELS)
        self.over_depth = nn.ModuleList(
            nn.Linear(channels, DEPTH_CHANNELS, bias=False) for _ in range(stages)
        )
        self.leave = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(DEPTH_CHANNELS),
                nn.GELU(),
                nn.Linear(DEPTH_CHANNELS, DEPTH_CHANNELS),
                nn.GELU(),
                nn.Linear(DEPTH_CHANNELS, codes),
            )
            for _ in range(stages)
        )

    def log_likelihood(self, codes: Tensor, condition: Tensor) -> Tensor:
        """Return log-probabilities (batch, stages, steps) of codes."""
        logits = self(codes, condition)
        return logits.log_softmax(dim=2).gather(2, codes[:, :, None])[:, :, 0]

    def forward(self, codes: Tensor, condition: Tensor) -> Tensor:
        """Return logits (batch, stages, codes, steps), each knowing the codes before it only."""
        embedded = [book[stage] for book, stage in zip(self.embeddings, codes.unbind(1), strict=True)]
        frames = torch.stack(embedded).sum(dim=0)
        before = torch.cat([self.start.expand(len(codes), 1, -1), frames[:, :-1]], dim=1)
        heard = condition.transpose(1, 2)
        state, _ = self.over_time(before + heard)
        depth = self.enter_depth(torch.cat([state, heard], dim=-1))
        logits = []
        for stage in range(self.stages):
            logits.append(self.leave[stage](depth))
            depth = depth + self.over_depth[stage](embedded[stage])
        return torch.stack(logits, dim=1).transpose(2, 3)

    def draw(self, condition: Tensor, generator: torch.Generator, *, temperature: float, top: int) -> Tensor:
        """Return codes (batch, stages, steps), each drawn at a temperature among the ``top`` likeliest."""
        batch, _, steps = condition.shape
        heard = condition.transpose(1, 2)
        noise = draw_gumbel(torch.Size((batch, steps, self.stages, self.codes)), generator).to(heard.device)
        before, state, drawn = self.start.expand(batch, -1), None, []
        for step in range(steps):
            output, state = self.over_time((before + heard[:, step])[:, None], state)
            depth = self.enter_depth(torch.cat([output[:, 0], heard[:, step]], dim=-1))
            frame, before = [], torch.zeros_like(before)
            for stage in range(self.stages):
                code = _draw_code(self.leave[stage](depth), temperature, top, noise[:, step, stage])
                embedded = self.embeddings[stage][code]
                depth = depth + self.over_depth[stage](embedded)
                before = before + embedded
                frame.append(code)
            drawn.append(torch.stack(frame, dim=1))
        return torch.stack(drawn, dim=2)


def _draw_code(logits: Tensor, temperature: float, top: int, noise: Tensor) -> Tensor:
    least = logits.topk(min(top, logits.shape[-1]), dim=-1).values[:, -1:]
    likely = logits.masked_fill(logits < least, -torch.inf)
    return (likely + temperature * noise).argmax(dim=-1)
