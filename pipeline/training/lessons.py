"""The networks that can be trained: what each learns from, and how it is heard for validation."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.training.lesson import Batch, Lesson
from stages.networks.generative.context import gains_to, hear
from stages.networks.generative.estimate import estimate_error
from stages.networks.generative.gains import NUM_BANDS, apply_band_gains
from stages.networks.generative.masked import draw_mask
from stages.networks.generative.parts import load_part, make_part
from stages.networks.generative.spectra import rebuild_phase

PHASE_ITERATIONS = 12
UNHEARD_SHARE = 0.1
"""Of mixtures whose condition is withheld, so that guidance has something to lead away from."""


class EstimateLesson(Lesson):
    """The predictive network: compressed magnitudes as near to the clean ones as it gets."""

    kind = "estimate"

    def __init__(self, settings: dict[str, Any], folder: Path, device: str) -> None:  # noqa: ARG002
        self.network = make_part(self.kind, settings).to(device)

    def error(self, batch: Batch, generator: torch.Generator) -> Tensor:  # noqa: ARG002 - nothing is random
        """See ``Lesson``."""
        return estimate_error(self.network(batch.degraded), batch.clean)

    def restore(self, network: Any, degraded: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """See ``Lesson``."""
        return rebuild_phase(network(degraded).spectra, degraded.shape[-1], PHASE_ITERATIONS)


class GainLesson(Lesson):
    """What generators share: the estimate that they start from, and how their gains become sound."""

    def __init__(self, settings: dict[str, Any], folder: Path, device: str) -> None:
        self.estimator = load_part(folder, "estimate", device)
        sizes = {**settings, "hidden": self.estimator.settings.channels}
        self.network = make_part(self.kind, sizes).to(device)

    def draw_gains(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """Return gains (batch, bands, steps) drawn by ``network``."""
        raise NotImplementedError

    def restore(self, network: Any, degraded: Tensor, generator: torch.Generator) -> Tensor:
        """See ``Lesson``."""
        context = hear(self.estimator, degraded)
        gains = self.draw_gains(network, network.condition(*context.told), generator)
        return rebuild_phase(apply_band_gains(context.spectra, gains), degraded.shape[-1], PHASE_ITERATIONS)


class FlowLesson(GainLesson):
    """Flow matching, its moments drawn so that the middle comes more often (Esser et al. 2024)."""

    kind = "fm"

    def error(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """See ``Lesson``."""
        context = hear(self.estimator, batch.degraded)
        gains = gains_to(batch.clean, context)
        noise = torch.randn(gains.shape, generator=generator).to(gains.device)
        moments = torch.sigmoid(torch.randn(len(gains), generator=generator)).to(gains.device)
        network: Any = self.network
        return network.errors(gains, network.condition(*context.told), noise, moments).mean()

    def draw_gains(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``GainLesson``."""
        shape = (len(condition), NUM_BANDS, condition.shape[-1])
        drawn: Tensor = network.draw(
            condition, torch.randn(shape, generator=generator).to(condition.device), 4
        )
        return drawn


class CodeLesson(GainLesson):
    """Generators of codes: cross-entropy in nats per code."""

    def __init__(self, settings: dict[str, Any], folder: Path, device: str) -> None:
        super().__init__(settings, folder, device)
        self.codes = load_part(folder, "codes", device)

    def error(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """See ``Lesson``."""
        context = hear(self.estimator, batch.degraded)
        codes = self.codes.encode(gains_to(batch.clean, context))
        return self.code_error(codes, self.condition_of(context.told, generator), generator)

    def condition_of(self, told: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Return the condition (batch, channels, steps) as the network is to hear it in training."""
        network: Any = self.network
        heard: Tensor = network.condition(*told)
        return heard

    def code_error(self, codes: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean negative log-probability of codes."""
        raise NotImplementedError

    def draw_codes(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """Return codes (batch, stages, steps)."""
        raise NotImplementedError

    def draw_gains(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``GainLesson``."""
        gains: Tensor = self.codes.decode(self.draw_codes(network, condition, generator))
        return gains


class MaskedLesson(CodeLesson):
    """Masked generation: the codes that a drawn share of the time is hidden."""

    kind = "mgm"

    def condition_of(self, told: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        network: Any = self.network
        heard = super().condition_of(told, generator)
        is_unheard = torch.rand((len(heard), 1, 1), generator=generator) < UNHEARD_SHARE
        return torch.where(is_unheard.to(heard.device), network.nothing[:, None], heard)

    def code_error(self, codes: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        network: Any = self.network
        is_masked = draw_mask(codes.shape, generator).to(codes.device)
        likelihood: Tensor = network.log_likelihood(codes, is_masked, condition)
        return -likelihood.sum() / is_masked.sum().clamp_min(1)

    def draw_codes(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        drawn: Tensor = network.draw(condition, generator, rounds=8, temperature=1.0)
        return drawn


class AutoregressiveLesson(CodeLesson):
    """One frame after the other, from the frames that were there."""

    kind = "ar"

    def code_error(self, codes: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """See ``CodeLesson``."""
        network: Any = self.network
        likelihood: Tensor = network.log_likelihood(codes, condition)
        return -likelihood.mean()

    def draw_codes(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        drawn: Tensor = network.draw(condition, generator, temperature=0.8, top=64)
        return drawn


LESSONS: dict[str, type[Lesson]] = {
    lesson.kind: lesson for lesson in (EstimateLesson, FlowLesson, MaskedLesson, AutoregressiveLesson)
}
