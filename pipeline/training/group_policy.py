"""GRPO of the flow of ``fm``: takes of one input are a group, and a panel says which of them are better.

``fm`` restores by an ODE: a take follows from its noise, and its likelihood is not to be had cheaply.
Flow-GRPO (Liu et al. 2025, arXiv 2505.05470) therefore draws from an SDE, whose steps have Gaussian
likelihoods, and trains a sampler that is not the one that restores. Here takes are drawn as ``fm`` draws
them, and the ratio of likelihoods is that of Flow Policy Optimization (McAllister et al. 2025, arXiv
2507.21053): e to the difference of errors of flow matching on the take, at the same noises and moments, which
asks nothing of the sampler. As in DPO of flows here, the difference is multiplied by ``BETA``.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.dpo.group_loss import clipped_loss
from pipeline.dpo.loss import BETA
from pipeline.panel.panel import Panel, PanelScores
from pipeline.panel.rewards import group_advantages
from pipeline.training.lessons import PHASE_ITERATIONS, FlowLesson, draw_place
from pipeline.training.trainer import require_finite
from stages.audio.audible import audible_rms
from stages.audio.waveform import Samples, Waveform
from stages.networks.generative.context import hear
from stages.networks.generative.gains import NUM_BANDS, apply_band_gains
from stages.networks.generative.spectra import GENERATIVE_SAMPLE_RATE, LEVEL_RMS, num_steps, rebuild_phase
from stages.operators.rng import rng_for
from stages.prefer.comparisons import Floats64


@dataclass(frozen=True, slots=True)
class GroupInput:
    """Degraded speech that is restored several times, and what its restorations are held to."""

    name: str
    degraded: Samples
    """At 16 kHz, as long as ``clean``."""
    clean: Samples | None
    transcript: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class GroupTraining:
    """How a flow is to learn from groups."""

    takes: int = 8
    """Of each input."""
    temperature: float = 0.6
    """Of the noise that takes begin with, and ``flow_steps`` of the ODE: both as ``fm`` restores."""
    flow_steps: int = 4
    places: int = 8
    """Noises and moments at which the errors of a take are measured."""
    passes: int = 2
    """Steps of the optimiser on one drawing of takes."""
    clip: float = 0.2
    kl: float = 0.1
    """Weight of the squared distance of velocities from those of the model that the training began with: for
    flows the divergence of Kullback and Leibler is that, up to a factor (Flow-GRPO, section 4.2)."""
    learning_rate: float = 2e-5
    reward: Literal["scores", "unanimity"] = "scores"
    """The sum of the votes over their spreads, or the share of the group that all votes put below."""
    seed: int = 0


class Takes(NamedTuple):
    """Restorations of one input, as gains and as sound."""

    told: tuple[Tensor, ...]
    """What the degraded speech says, for ``Condition``: (1, …, steps)."""
    gains: Tensor
    """(takes, bands, steps)."""
    audio: tuple[Waveform, ...]


class _Measured(NamedTuple):
    """Takes with where they are measured, and what the model that drew them makes of them there."""

    takes: Takes
    advantages: Tensor
    noise: Tensor
    """(takes × places, bands, steps)."""
    moments: Tensor
    errors: Tensor
    """(takes,)."""
    velocities: Tensor
    """Of the reference, as ``noise``."""


@dataclass(frozen=True, slots=True)
class GroupStep:
    """What came of a step."""

    number: int
    votes: Mapping[str, float]
    """The mean of every vote over the takes that have it; NaN where none has."""
    takes: int
    unrewarded: int
    """Takes that lack a score: they pull nowhere."""
    is_learnt: bool
    """Whether there was anything to learn: not where in every group all rewards are alike or missing."""
    kl: float
    """The mean squared distance of velocities from the reference's after the step."""

    def __str__(self) -> str:
        means = ", ".join(f"{name} {value:.3f}" for name, value in self.votes.items())
        lost = f", {self.unrewarded} of {self.takes} takes without a reward" if self.unrewarded else ""
        learnt = f"{self.kl:.2e} from the reference" if self.is_learnt else "nothing to learn from"
        return f"step {self.number:3d}: {means}{lost}; {learnt}"


class GroupPolicyTrainer:
    """``fm``, its frozen reference, and a panel that rewards what it draws.

    Steps have the streams that their numbers name: on a CPU the same inputs, settings and panel give the same
    weights.
    """

    def __init__(self, lesson: FlowLesson, panel: Panel, how: GroupTraining) -> None:
        self._lesson, self._panel, self._how = lesson, panel, how
        self._network: Any = lesson.network
        self._reference: Any = copy.deepcopy(lesson.network).requires_grad_(requires_grad=False)
        self._optimizer = torch.optim.AdamW(self._network.parameters(), how.learning_rate, weight_decay=0.0)
        self.steps_done = 0

    def step(self, inputs: Sequence[GroupInput]) -> GroupStep:
        """Draw takes of every input, have them judged, and make the better ones likelier.

        Raises ``ValueError`` for an input without samples, ``RunError`` for a gradient that is not finite.
        """
        number = self.steps_done
        drawn = [self.draw(each, "take", number) for each in inputs]
        groups = [each.name for each in inputs for _ in range(self._how.takes)]
        scores = self.judge(inputs, drawn)
        rewards = self._rewards(scores, groups)
        advantages = group_advantages(rewards, groups).reshape(len(drawn), -1)
        measured = [
            self._measure(takes, given, self._generator("places", number, each.name))
            for takes, given, each in zip(drawn, advantages, inputs, strict=True)
        ]
        is_learnt = bool(np.any(advantages))
        for _ in range(self._how.passes if is_learnt else 0):
            self._learn(measured)
        self.steps_done += 1
        lost = int(np.isnan(rewards).sum())
        return GroupStep(number, self.means(scores), len(groups), lost, is_learnt, self._distance(measured))

    def draw(self, given: GroupInput, purpose: str, number: int) -> Takes:
        """Return the takes of an input that these names always give the model as it is now."""
        if not given.degraded.size:
            raise ValueError(f"{given.name} has no samples")
        scale = LEVEL_RMS / max(audible_rms(given.degraded, GENERATIVE_SAMPLE_RATE), 1e-6)
        heard = hear(self._lesson.estimator, self._tensor(scale * given.degraded)[None])
        shape = self._how.takes, NUM_BANDS, num_steps(given.degraded.size)
        noise = torch.randn(shape, generator=self._generator(purpose, number, given.name))
        with torch.no_grad():
            condition = self._network.condition(*heard.told).expand(shape[0], -1, -1)
            started = self._how.temperature * noise.to(condition.device)
            gains = self._network.draw(condition, started, self._how.flow_steps)
            spectra = apply_band_gains(heard.spectra.expand(shape[0], -1, -1), gains)
            made = rebuild_phase(spectra, given.degraded.size, PHASE_ITERATIONS) / scale
        audio = (Waveform(each, GENERATIVE_SAMPLE_RATE) for each in made.cpu().numpy().astype(np.float32))
        return Takes(heard.told, gains, tuple(audio))

    def judge(self, inputs: Sequence[GroupInput], drawn: Sequence[Takes]) -> PanelScores:
        """Return what the panel says of all takes, input after input."""
        each = [given for given, takes in zip(inputs, drawn, strict=True) for _ in takes.audio]
        clean = {
            given.name: None if given.clean is None else Waveform(given.clean, GENERATIVE_SAMPLE_RATE)
            for given in inputs
        }
        return self._panel.score(
            [audio for takes in drawn for audio in takes.audio],
            [clean[given.name] for given in each],
            [given.transcript for given in each],
            languages=[given.language for given in each],
        )

    def means(self, scores: PanelScores) -> dict[str, float]:
        """Return the mean of every vote over the takes that have it; NaN where none has."""
        there = {name: scores.values(name) for name in self._panel.voting}
        return {
            name: float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
            for name, values in there.items()
        }

    def _rewards(self, scores: PanelScores, groups: Sequence[str]) -> Floats64:
        if self._how.reward == "unanimity":
            return self._panel.unanimity(scores, groups)
        return self._panel.reward(scores, normalise="batch_std")

    def _measure(self, takes: Takes, advantages: Floats64, generator: torch.Generator) -> _Measured:
        """Return takes at places that are drawn as in training, with errors of the model that drew them."""
        noise, moments = draw_place(takes.gains.repeat_interleave(self._how.places, 0), generator)
        with torch.no_grad():
            errors = self._errors(self._velocities(self._network, takes, noise, moments), takes, noise)
            frozen = self._velocities(self._reference, takes, noise, moments)
        return _Measured(takes, self._tensor(advantages), noise, moments, errors, frozen)

    def _learn(self, measured: Sequence[_Measured]) -> None:
        """Move the weights once, against the gradient of all groups."""
        self._optimizer.zero_grad()
        for each in measured:
            velocities = self._velocities(self._network, each.takes, each.noise, each.moments)
            errors = self._errors(velocities, each.takes, each.noise)
            policy = clipped_loss(BETA * (each.errors - errors), each.advantages, self._how.clip).mean()
            distance = (velocities - each.velocities).square().mean()
            ((policy + self._how.kl * BETA * distance) / len(measured)).backward()
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        require_finite(norm, self.steps_done)
        self._optimizer.step()

    def _velocities(self, network: Any, takes: Takes, noise: Tensor, moments: Tensor) -> Tensor:
        place = moments[:, None, None]
        noised = (1.0 - place) * noise + place * takes.gains.repeat_interleave(self._how.places, 0)
        velocities: Tensor = network(
            noised, network.condition(*takes.told).expand(len(noise), -1, -1), moments
        )
        return velocities

    def _errors(self, velocities: Tensor, takes: Takes, noise: Tensor) -> Tensor:
        """Return the mean squared error of each take over its places, bands and steps."""
        target = takes.gains.repeat_interleave(self._how.places, 0) - noise
        return (velocities - target).square().reshape(len(takes.gains), -1).mean(dim=1)

    def _distance(self, measured: Sequence[_Measured]) -> float:
        with torch.no_grad():
            found = [
                (self._velocities(self._network, each.takes, each.noise, each.moments) - each.velocities)
                .square()
                .mean()
                for each in measured
            ]
        return float(torch.stack(found).mean())

    def _generator(self, *names: str | int) -> torch.Generator:
        rng = rng_for(self._how.seed, "grpo", *names)
        return torch.Generator().manual_seed(int(rng.integers(2**62)))

    def _tensor(self, values: np.ndarray) -> Tensor:
        device = next(self._network.parameters()).device
        return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)
