"""Training of VQScore's network, on clean speech alone."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from schemas import Record
from stages.audio.level import peak
from stages.audio.waveform import Samples
from stages.networks.loading import require_device
from stages.networks.vqscore import VQSCORE_SAMPLE_RATE, VqScoreNetwork, VqScoreSettings, magnitudes_of
from stages.operators.rng import rng_for
from stages.runtime.seeding import seeded_from

BETAS = (0.5, 0.9)
SPECTRUM_WEIGHT = 45.0
CODES_DECAY = 0.8
VOLUMES = (0.05, 2.0)

Speech = Callable[[np.random.Generator, int], Samples]
"""Gives a stretch of so many samples of clean speech at 16 kHz, drawn by the stream."""


class VqScoreTraining(Record):
    """Everything that the result depends on, besides the speech and the number of steps.

    The authors trained 800,000 steps of 64 stretches of 3 s at a learning rate of 1e-5; the defaults are for
    some ten thousand steps.
    """

    seed: int = Field(default=0, ge=0)
    batch_size: int = Field(default=16, ge=1)
    stretch_s: float = Field(default=3.0, ge=0.1)
    learning_rate: float = Field(default=3e-4, gt=0.0)
    network: VqScoreSettings = VqScoreSettings()


@dataclass(frozen=True, slots=True)
class Loss:
    """What a step tried to make small: ``total`` is ``45 · spectrum + codes``."""

    spectrum: float
    """1 − cosine of the spectra that go in and come out, mean over frames."""
    codes: float
    """Squared distance of encoded frames to their codes; in self-distillation the cross-entropy to the codes
    of the teacher."""

    @property
    def total(self) -> float:
        """The weighted sum."""
        return SPECTRUM_WEIGHT * self.spectrum + self.codes


class CleanSpeechTraining(Protocol):
    """What trainings on clean speech alone have in common."""

    @property
    def seed(self) -> int:
        """Of weights and of what is drawn."""
        ...

    @property
    def batch_size(self) -> int:
        """Stretches of speech per step."""
        ...

    @property
    def stretch_s(self) -> float:
        """Seconds of a stretch."""
        ...

    @property
    def learning_rate(self) -> float:
        """Of Adam."""
        ...


T = TypeVar("T", bound=CleanSpeechTraining)


class CleanSpeechTrainer(ABC, Generic[T]):
    """Takes one step after another; the state after a step is all that the next one depends on.

    A step's speech is drawn by streams that its number names, so training goes on from a state exactly as
    if it had never stopped: bit for bit on a CPU.
    """

    name: ClassVar[str]
    """Of the streams of randomness."""

    def __init__(self, training: T, speech: Speech, device: str) -> None:
        self._training, self._speech, self._device = training, speech, require_device(device)
        with seeded_from(rng_for(training.seed, self.name, "weights")):
            self.network = self._make_network().to(device)
        self._optimizer = torch.optim.Adam(self.network.parameters(), training.learning_rate, BETAS)
        self.steps_done = 0

    @abstractmethod
    def _make_network(self) -> Any:
        """Return the network, untrained."""

    @abstractmethod
    def step(self) -> Loss:
        """Take one step."""

    @property
    def state(self) -> dict[str, Any]:
        """Tensors and numbers, as ``restore`` takes them."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "steps_done": self.steps_done,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to the moment when ``state`` was taken."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.steps_done = state["steps_done"]

    def _batch(self) -> Tensor:
        places = range(self._training.batch_size)
        drawn = [rng_for(self._training.seed, self.name, self.steps_done, place) for place in places]
        return torch.from_numpy(np.stack([self._draw_stretch(rng) for rng in drawn])).to(self._device)

    def _draw_stretch(self, rng: np.random.Generator) -> Samples:
        """Return a stretch at any volume, so that volume teaches nothing; never over full scale."""
        samples = self._speech(rng, round(self._training.stretch_s * VQSCORE_SAMPLE_RATE))
        loudest = 1.0 / max(peak(samples), 1e-9)
        return samples * np.float32(min(rng.uniform(*VOLUMES), loudest))


class VqScoreTrainer(CleanSpeechTrainer[VqScoreTraining]):
    """Trains the network for quality."""

    name = "vqscore"

    def _make_network(self) -> VqScoreNetwork:
        return VqScoreNetwork(self._training.network)

    def step(self) -> Loss:
        """Draw speech, move the weights against the gradient, then the codes towards the speech."""
        magnitudes = magnitudes_of(self._batch())
        encoded = self.network.encode(magnitudes)
        if self.steps_done == 0:
            generator = torch.Generator().manual_seed(self._training.seed)
            self.network.codes.start(encoded.detach(), generator)
        spectrum, codes = self._losses(magnitudes, encoded)
        self._optimizer.zero_grad()
        (SPECTRUM_WEIGHT * spectrum + codes).backward()
        self._optimizer.step()
        self.network.codes.move(encoded.detach(), CODES_DECAY)
        self.steps_done += 1
        return Loss(float(spectrum.detach()), float(codes.detach()))

    def _losses(self, magnitudes: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
        directions = functional.normalize(encoded, dim=-1)
        nearest = self.network.codes.find_nearest(encoded)
        passed_on = (
            directions + (nearest - directions).detach()
        )  # the gradient passes by the choice of a code
        rebuilt = self.network.decode(passed_on)
        spectrum = 1.0 - functional.cosine_similarity(magnitudes, rebuilt, dim=2, eps=1e-5).mean()
        return spectrum, (directions - nearest).square().sum(dim=-1).mean()
