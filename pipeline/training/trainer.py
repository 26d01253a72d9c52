"""Steps of a training: each draws its batch by its number, so that whoever is killed goes on as if not."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.training.lesson import Batch, Lesson
from pipeline.training.mixtures import Mixtures
from schemas import RunError, Split
from stages.operators.rng import rng_for

WARM_UP_STEPS = 500
AVERAGE_DECAY = 0.999
LARGEST_GRADIENT = 1.0


def require_finite(gradient_norm: Tensor, step: int) -> None:
    """Raise ``RunError`` before a step that would leave nothing of the weights; what is saved stays."""
    if not bool(torch.isfinite(gradient_norm)):
        raise RunError(
            f"the gradient of step {step + 1:,} is not finite: go on from the last checkpoint with a smaller "
            "--learning-rate, in another --out with its weights, or look for broken recordings"
        )


class Trainer:
    """A network, the average of its weights over steps, and the optimiser between them."""

    def __init__(
        self,
        lesson: Lesson,
        mixtures: Mixtures,
        *,
        seed: int,
        batch_size: int,
        learning_rate: float,
        device: str,
    ) -> None:
        self.lesson, self.device = lesson, device
        self._mixtures, self._seed, self._batch_size = mixtures, seed, batch_size
        self.average: nn.Module = copy.deepcopy(lesson.network).requires_grad_(requires_grad=False).eval()
        self._learning_rate = learning_rate
        self._optimizer = torch.optim.AdamW(
            lesson.network.parameters(), learning_rate, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.steps_done = 0

    @property
    def state(self) -> dict[str, Any]:
        """Tensors and numbers, as ``restore_state`` takes them."""
        return {
            "network": self.lesson.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "steps_done": self.steps_done,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to the moment when ``state`` was taken."""
        self.lesson.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.steps_done = state["steps_done"]

    def step(self) -> float:
        """Draw a batch, move the weights against the gradient, and return the error before it."""
        error = self.lesson.error(self.batch(Split.TRAIN, self.steps_done), self._generator("step"))
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate * min(1.0, (self.steps_done + 1) / WARM_UP_STEPS)
        self._optimizer.zero_grad()
        error.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.lesson.network.parameters(), LARGEST_GRADIENT)
        require_finite(norm, self.steps_done)
        self._optimizer.step()
        self.steps_done += 1
        self._move_average()
        return float(error.detach())

    def batch(self, side: Split, number: int, size: int | None = None) -> Batch:
        """Return the mixtures of a step."""
        places = range(size or self._batch_size)
        return Batch([self._mixtures.draw(side, number, place) for place in places], self.device)

    def error_of_average(self, batch: Batch) -> float:
        """Return the error of the averaged network on a batch, always with the same draws."""
        network, self.lesson.network = self.lesson.network, self.average
        try:
            with torch.no_grad():
                return float(self.lesson.error(batch, torch.Generator().manual_seed(0)))
        finally:
            self.lesson.network = network

    def restore_by_average(self, degraded: Tensor) -> Tensor:
        """Return what the averaged network makes of degraded waveforms, always with the same draws."""
        with torch.no_grad():
            return self.lesson.restore(self.average, degraded, torch.Generator().manual_seed(0))

    def _generator(self, purpose: str) -> torch.Generator:
        rng = rng_for(self._seed, "train", self.lesson.kind, purpose, self.steps_done)
        return torch.Generator().manual_seed(int(rng.integers(2**62)))

    def _move_average(self) -> None:
        decay = min(AVERAGE_DECAY, (1 + self.steps_done) / (10 + self.steps_done))
        own = self.lesson.network.state_dict()
        for name, value in self.average.state_dict().items():
            if value.dtype.is_floating_point:
                value.lerp_(own[name], 1.0 - decay)
