"""Training of VQScore's network for enhancement, on clean speech alone and on noise of its own making.

First an auto-encoder of clean speech learns codes. Then a copy of it teaches: the encoder has to find the
teacher's codes of clean speech also where noise was added that leads it astray as far as it can, and the
decoder has to say the clean speech of them (Fu, Hung and Tsao, ICLR 2024, section 2.5).
"""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from schemas import Record
from stages.networks.vq_enhancement import VqEnhancementSettings, VqEnhancer, log_magnitudes_of
from stages.networks.vqscore_training import (
    BETAS,
    CODES_DECAY,
    SPECTRUM_WEIGHT,
    CleanSpeechTrainer,
    Loss,
)
from stages.operators.rng import rng_for
from stages.runtime.seeding import seeded_from

CODES_WEIGHT = 3.0
NOISE_RATIOS = (0.03, 0.55)
"""RMS of adversarial noise relative to the speech's."""
_TINY = 1e-9


class VqEnhancementTraining(Record):
    """Everything that the result depends on, besides the speech and the number of steps.

    The authors trained 400,000 steps of 64 stretches of 3 s on clean speech and 100,000 with a teacher, at a
    learning rate of 1e-5; the defaults are for some ten thousand steps.
    """

    seed: int = Field(default=0, ge=0)
    batch_size: int = Field(default=16, ge=1)
    stretch_s: float = Field(default=3.0, ge=0.1)
    learning_rate: float = Field(default=3e-4, gt=0.0)
    clean_steps: int = Field(default=8_000, ge=1)
    """Steps on clean speech, before the network is its own teacher."""
    network: VqEnhancementSettings = VqEnhancementSettings()


class VqEnhancementTrainer(CleanSpeechTrainer[VqEnhancementTraining]):
    """Trains the network for enhancement, first on clean speech and then against its earlier self."""

    name = "vq_enhance"
    _teacher: VqEnhancer | None = None

    def _make_network(self) -> VqEnhancer:
        return VqEnhancer(self._training.network)

    @property
    def state(self) -> dict[str, Any]:
        """Tensors and numbers, as ``restore`` takes them."""
        teacher = None if self._teacher is None else self._teacher.state_dict()
        return {**super().state, "teacher": teacher}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to the moment when ``state`` was taken."""
        super().restore(state)
        if state["teacher"] is not None:
            self._teach()
            assert self._teacher is not None
            self._teacher.load_state_dict(state["teacher"])
            self._optimizer.load_state_dict(state["optimizer"])

    def step(self) -> Loss:
        """Draw speech and take a step of what is learnt now."""
        waveforms = self._batch()
        if self.steps_done == self._training.clean_steps:
            self._teach()
        with seeded_from(rng_for(self._training.seed, self.name, "noise", self.steps_done)):
            if self._teacher is None:
                loss = self._learn_codes(log_magnitudes_of(waveforms))
            else:
                loss = self._learn_robustness(waveforms, self._teacher)
        self.steps_done += 1
        return loss

    def _teach(self) -> None:
        """Make what was learnt so far the teacher, and begin with a fresh optimizer."""
        self._teacher = copy.deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        self._optimizer = torch.optim.Adam(self.network.parameters(), self._training.learning_rate, BETAS)

    def _learn_codes(self, features: Tensor) -> Loss:
        network: VqEnhancer = self.network.train()
        encoded = network.encode(features)
        if self.steps_done == 0:
            network.codes.start(encoded.detach(), torch.Generator().manual_seed(self._training.seed))
        nearest = network.codes(encoded)
        passed_on = encoded + (nearest - encoded).detach()  # the gradient passes by the choice of a code
        spectrum = _distance(network.decode(passed_on), features)
        codes = functional.mse_loss(encoded, nearest)
        self._move(SPECTRUM_WEIGHT * spectrum + CODES_WEIGHT * codes)
        network.codes.move(encoded.detach(), CODES_DECAY)
        return Loss(float(spectrum.detach()), float(codes.detach()))

    def _learn_robustness(self, waveforms: Tensor, teacher: VqEnhancer) -> Loss:
        """Learn the teacher's codes of clean speech, of it and of it under noise; the codes stay."""
        clean = log_magnitudes_of(waveforms)
        with torch.no_grad():
            wanted = teacher.codes.choose(teacher.encode(clean)).flatten()
        noisy = log_magnitudes_of(self._lead_astray(waveforms, wanted))
        network: VqEnhancer = self.network.train()
        spectrum, codes = torch.zeros(()), torch.zeros(())
        for features in (noisy, clean):
            encoded = network.encode(features)
            codes = codes + functional.cross_entropy(network.codes.logits(encoded), wanted)
            spectrum = spectrum + _distance(network.decode(network.codes(encoded).detach()), clean)
        self._move(SPECTRUM_WEIGHT * spectrum + codes)
        return Loss(float(spectrum.detach()), float(codes.detach()))

    def _lead_astray(self, waveforms: Tensor, wanted: Tensor) -> Tensor:
        """Return speech under noise, of a drawn level, along the gradient away from the wanted codes."""
        network: VqEnhancer = self.network.eval()
        heard = waveforms.clone().requires_grad_()
        error = functional.cross_entropy(
            network.codes.logits(network.encode(log_magnitudes_of(heard))), wanted
        )
        (noise,) = torch.autograd.grad(error, heard)
        low, high = NOISE_RATIOS
        ratios = low + (high - low) * torch.rand(len(waveforms), 1).to(waveforms.device)
        speech_norm, noise_norm = (each.norm(dim=-1, keepdim=True) for each in (waveforms, noise))
        return waveforms + ratios * speech_norm / noise_norm.clamp_min(_TINY) * noise

    def _move(self, loss: Tensor) -> None:
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()


def _distance(made: Tensor, wanted: Tensor) -> Tensor:
    """Return the sum of absolute differences relative to what is wanted."""
    return (made - wanted).abs().sum() / wanted.abs().sum().clamp_min(_TINY)
