"""DPO from beginning to end, small enough to read and to run on a laptop's CPU in seconds.

A flow-matching model of log spectra learns to restore from the chosen sides, is frozen as the reference, and
then learns from the pairs. What a real training changes is the network and the number of steps.
"""

import copy
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from pipeline.dpo.batch import PairBatch, collate
from pipeline.dpo.log_ratios import masked_mean
from pipeline.dpo.loss import BETA, flow_dpo_loss
from pipeline.dpo.stream import PairStream
from pipeline.text import say
from schemas import UserError
from stages.operators.rng import rng_for
from stages.runtime.seeding import seeded_from

_SAMPLE_RATE = 16_000
CROP_S = 1.0
BATCH_SIZE = 8
_WINDOW, _HOP = 256, 128
_BINS = _WINDOW // 2 + 1
CHANNELS = 64
LEARNING_RATE = 2e-6
"""Of DPO. Zhang et al. (2025, arXiv 2505.04113) take 8e-6, with batches many times as large."""
LINES = 10
"""Times that a training says how far it is."""


class VelocityNet(nn.Module):
    """Convolutions over frames: noised spectra, degraded spectra and the flow's time to a velocity."""

    def __init__(self) -> None:
        super().__init__()
        self._layers = nn.Sequential(
            nn.Conv1d(2 * _BINS + 1, CHANNELS, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(CHANNELS, CHANNELS, 5, padding=2),
            nn.GELU(),
            nn.Conv1d(CHANNELS, _BINS, 1),
        )

    def forward(self, noised: Tensor, degraded: Tensor, time: Tensor) -> Tensor:
        """Return the velocity (batch, bins, frames) of ``noised`` at ``time`` (batch,) from 0 to 1."""
        clock = time[:, None, None].expand(-1, 1, noised.shape[-1])
        velocity: Tensor = self._layers(torch.cat([noised, degraded, clock], dim=1))
        return velocity


@dataclass(frozen=True, slots=True)
class SpectraBatch:
    """A batch of pairs as log spectra (batch, bins, frames), and which frames hold audio."""

    degraded: Tensor
    chosen: Tensor
    rejected: Tensor
    mask: Tensor

    @classmethod
    def of(cls, batch: PairBatch) -> "SpectraBatch":
        """Return the spectra of a batch."""
        frames = torch.arange(batch.mask.shape[1] // _HOP + 1)
        mask = frames[None] * _HOP < batch.lengths[:, None]
        return cls(
            degraded=_log_spectra(batch.degraded),
            chosen=_log_spectra(batch.chosen),
            rejected=_log_spectra(batch.rejected),
            mask=mask[:, None],
        )


@dataclass(frozen=True, slots=True)
class Draw:
    """Where on the flow models are compared: a noise and a time for each pair, the same for both sides."""

    noise: Tensor
    time: Tensor

    @classmethod
    def of(cls, spectra: SpectraBatch, generator: torch.Generator) -> "Draw":
        """Draw them."""
        noise = torch.randn(spectra.chosen.shape, generator=generator)
        return cls(noise, torch.rand(len(noise), generator=generator))


def flow_matching_errors(model: nn.Module, target: Tensor, spectra: SpectraBatch, draw: Draw) -> Tensor:
    """Return the error of flow matching of each pair: the mean of (v(y_t) − (target − noise))²."""
    time = draw.time[:, None, None]
    velocity = model((1 - time) * draw.noise + time * target, spectra.degraded, draw.time)
    return masked_mean((velocity - (target - draw.noise)) ** 2, spectra.mask)


def dpo_losses(
    model: nn.Module, reference: nn.Module, spectra: SpectraBatch, draw: Draw, beta: float
) -> Tensor:
    """Return the loss of each pair."""
    chosen, rejected = (
        flow_matching_errors(model, side, spectra, draw) for side in (spectra.chosen, spectra.rejected)
    )
    with torch.no_grad():
        frozen = [
            flow_matching_errors(reference, side, spectra, draw)
            for side in (spectra.chosen, spectra.rejected)
        ]
    return flow_dpo_loss(chosen, rejected, frozen[0], frozen[1], beta)


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """The loss after so many steps, always on the same batch with the same noise and times."""

    step: int
    loss: float
    preferred: float
    """Share of pairs whose loss is below log 2: the model leans to the chosen side."""

    def __str__(self) -> str:
        return (
            f"step {self.step:4d}: DPO loss {self.loss:.4f}, "
            f"chosen side preferred in {self.preferred:.0%} of pairs"
        )


def train_example(
    dataset: str | Path, *, steps: int, warm_up_steps: int, beta: float = BETA, seed: int = 0
) -> list[TrainingProgress]:
    """Train on the pairs of ``dataset``, and say and return how the loss on its first batch went.

    Raises ``UserError`` if the dataset has no pairs to train on.
    """
    generator = torch.Generator().manual_seed(seed)
    batches = _batches(dataset, seed)
    watched = next(batches)
    watched_draw = Draw.of(watched, generator)

    with seeded_from(rng_for(seed, "dpo example", "weights")):  # layers draw from the global generator
        model = VelocityNet()
    _learn_to_restore(model, itertools.islice(batches, warm_up_steps), generator)
    reference = copy.deepcopy(model).requires_grad_(requires_grad=False)

    told = []
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    for step, spectra in enumerate(itertools.islice(batches, steps + 1)):
        if step % max(1, steps // LINES) == 0:
            told.append(_make_progress(step, dpo_losses(model, reference, watched, watched_draw, beta)))
            say(str(told[-1]))
        draw = Draw.of(spectra, generator)
        _descend(optimiser, dpo_losses(model, reference, spectra, draw, beta).mean())
    return told


def _make_progress(step: int, losses: Tensor) -> TrainingProgress:
    is_preferred = losses < math.log(2.0)
    return TrainingProgress(step, losses.mean().item(), is_preferred.float().mean().item())


def _batches(dataset: str | Path, seed: int) -> Iterator[SpectraBatch]:
    """Walk the pairs epoch after epoch."""
    pairs = PairStream(dataset, sample_rate=_SAMPLE_RATE, crop_s=CROP_S, seed=seed, with_clean=False)
    loader = DataLoader(pairs, batch_size=BATCH_SIZE, collate_fn=collate)
    for epoch in itertools.count():
        pairs.set_epoch(epoch)
        batch = None
        for batch in loader:
            yield SpectraBatch.of(batch)
        if batch is None:
            raise UserError(f"{dataset} has no pairs in its split 'train'")


def _learn_to_restore(model: nn.Module, batches: Iterator[SpectraBatch], generator: torch.Generator) -> None:
    """Fit the flow from noise to the chosen sides: the model that a preference can then improve."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for spectra in batches:
        _descend(
            optimiser,
            flow_matching_errors(model, spectra.chosen, spectra, Draw.of(spectra, generator)).mean(),
        )


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def _log_spectra(waveforms: Tensor) -> Tensor:
    """Return log magnitudes around 0, of about unit size for speech."""
    window = torch.hann_window(_WINDOW)
    spectra = torch.stft(waveforms, _WINDOW, _HOP, window=window, return_complex=True)
    return (spectra.abs() + 1e-3).log() / 3.0 + 1.0
