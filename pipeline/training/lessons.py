"""The networks that can be trained: what each learns from, and how it is heard for validation."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from pipeline.dpo.log_ratios import (
    LogRatios,
    TokenLogProbs,
    autoregressive_log_ratios,
    flow_log_ratios,
    masked_generative_log_ratios,
    masked_mean,
)
from pipeline.dpo.loss import AUTOREGRESSIVE_BETA, BETA, MASKED_GENERATIVE_BETA
from pipeline.dpo.token_masks import draw_token_mask
from pipeline.training.lesson import Batch, Lesson
from pipeline.training.sides import Sides
from schemas import Digest, UserError
from stages.networks.generative.context import gains_to, hear
from stages.networks.generative.estimate import estimate_error
from stages.networks.generative.gains import NUM_BANDS, apply_band_gains
from stages.networks.generative.parts import load_part, make_part, part_file
from stages.networks.generative.spectra import rebuild_phase
from stages.weights.files import weights_digest

PHASE_ITERATIONS = 12
DRAWS_PER_MIXTURE = 4
"""Noises and moments of a flow: drawing them again costs less than another mixture and its estimate."""
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

    builds_on: ClassVar[tuple[str, ...]] = ("estimate",)
    beta: ClassVar[float]
    """Of DPO, where nothing else is asked for."""

    def __init__(self, settings: dict[str, Any], folder: Path, device: str) -> None:
        self.estimator = load_part(folder, "estimate", device)
        sizes = {**settings, "hidden": self.estimator.settings.channels}
        self.network = make_part(self.kind, sizes).to(device)

    @property
    def frozen_parts(self) -> dict[str, Any]:
        """The networks that it builds on, by their names."""
        return {"estimate": self.estimator}

    @abstractmethod
    def draw_gains(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """Return gains (batch, bands, steps) drawn by ``network``."""

    @abstractmethod
    def compare(self, reference: Any, sides: Sides, generator: torch.Generator) -> tuple[LogRatios, Tensor]:
        """Return the log ratios of both sides over ``reference``, and the loss of the chosen one (batch,)."""

    def restore(self, network: Any, degraded: Tensor, generator: torch.Generator) -> Tensor:
        """See ``Lesson``."""
        context = hear(self.estimator, degraded)
        gains = self.draw_gains(network, network.condition(*context.told), generator)
        return rebuild_phase(apply_band_gains(context.spectra, gains), degraded.shape[-1], PHASE_ITERATIONS)


class FlowLesson(GainLesson):
    """Flow matching, its moments drawn so that the middle comes more often (Esser et al. 2024)."""

    kind = "fm"
    beta = BETA

    def error(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """See ``Lesson``."""
        context = hear(self.estimator, batch.degraded)
        network: Any = self.network
        gains = gains_to(batch.clean, context).repeat(DRAWS_PER_MIXTURE, 1, 1)
        condition = network.condition(*context.told).repeat(DRAWS_PER_MIXTURE, 1, 1)
        noise, moments = draw_place(gains, generator)
        return network.errors(gains, condition, noise, moments).mean()

    def draw_gains(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``GainLesson``."""
        shape = (len(condition), NUM_BANDS, condition.shape[-1])
        drawn: Tensor = network.draw(
            condition, torch.randn(shape, generator=generator).to(condition.device), 4
        )
        return drawn

    def compare(self, reference: Any, sides: Sides, generator: torch.Generator) -> tuple[LogRatios, Tensor]:
        """See ``GainLesson``: errors at the same place of the flow, from the same noise."""
        noise, moments = draw_place(sides.chosen, generator)

        def errors(network: Any, gains: Tensor) -> Tensor:
            condition = network.condition(*sides.told)
            return masked_mean(network.errors(gains, condition, noise, moments), sides.mask)

        own = [errors(self.network, gains) for gains in (sides.chosen, sides.rejected)]
        with torch.no_grad():
            frozen = [errors(reference, gains) for gains in (sides.chosen, sides.rejected)]
        return flow_log_ratios(*own, *frozen), own[0]


def draw_place(gains: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return noises, and moments of the flow of which those in the middle come more often."""
    noise = torch.randn(gains.shape, generator=generator).to(gains.device)
    return noise, torch.sigmoid(torch.randn(len(gains), generator=generator)).to(gains.device)


class CodeLesson(GainLesson):
    """Generators of codes: cross-entropy in nats per code."""

    builds_on: ClassVar[tuple[str, ...]] = ("estimate", "codes")

    def __init__(self, settings: dict[str, Any], folder: Path, device: str) -> None:
        super().__init__(settings, folder, device)
        self.codes = load_part(folder, "codes", device)

    @property
    def frozen_parts(self) -> dict[str, Any]:
        """See ``GainLesson``."""
        return {**super().frozen_parts, "codes": self.codes}

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

    @abstractmethod
    def code_error(self, codes: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean negative log-probability of codes."""

    @abstractmethod
    def draw_codes(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """Return codes (batch, stages, steps)."""

    def draw_gains(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``GainLesson``."""
        gains: Tensor = self.codes.decode(self.draw_codes(network, condition, generator))
        return gains


class MaskedLesson(CodeLesson):
    """Masked generation: the codes that a drawn share of the time is hidden."""

    kind = "mgm"
    beta = MASKED_GENERATIVE_BETA

    def condition_of(self, told: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        network: Any = self.network
        heard = super().condition_of(told, generator)
        is_unheard = torch.rand((len(heard), 1, 1), generator=generator) < UNHEARD_SHARE
        return torch.where(is_unheard.to(heard.device), network.nothing[:, None], heard)

    def code_error(self, codes: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        network: Any = self.network
        everywhere = torch.ones(codes.shape, dtype=torch.bool)
        is_masked = draw_token_mask(everywhere, generator).to(codes.device)
        likelihood: Tensor = network.log_likelihood(codes, is_masked, condition)
        return -likelihood.sum() / is_masked.sum().clamp_min(1)

    def draw_codes(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        drawn: Tensor = network.draw(condition, generator, rounds=8, temperature=1.0)
        return drawn

    def compare(self, reference: Any, sides: Sides, generator: torch.Generator) -> tuple[LogRatios, Tensor]:
        """See ``GainLesson``: the same codes are hidden on both sides, and from both networks."""
        chosen, rejected = (self.codes.encode(gains) for gains in (sides.chosen, sides.rejected))
        valid = sides.mask.expand(chosen.shape)
        is_masked = draw_token_mask(valid.cpu(), generator).to(chosen.device)

        def likelihood(network: Any, codes: Tensor) -> Tensor:
            found: Tensor = network.log_likelihood(codes, is_masked, network.condition(*sides.told))
            return found

        own = [likelihood(self.network, codes) for codes in (chosen, rejected)]
        with torch.no_grad():
            frozen = [likelihood(reference, codes) for codes in (chosen, rejected)]
        ratios = masked_generative_log_ratios((own[0], frozen[0]), (own[1], frozen[1]), is_masked)
        return ratios, -masked_mean(own[0], is_masked)


class AutoregressiveLesson(CodeLesson):
    """One frame after the other, from the frames that were there."""

    kind = "ar"
    beta = AUTOREGRESSIVE_BETA

    def code_error(self, codes: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """See ``CodeLesson``."""
        network: Any = self.network
        likelihood: Tensor = network.log_likelihood(codes, condition)
        return -likelihood.mean()

    def draw_codes(self, network: Any, condition: Tensor, generator: torch.Generator) -> Tensor:
        """See ``CodeLesson``."""
        drawn: Tensor = network.draw(condition, generator, temperature=0.8, top=64)
        return drawn

    def compare(
        self,
        reference: Any,
        sides: Sides,
        generator: torch.Generator,  # noqa: ARG002 - nothing is random
    ) -> tuple[LogRatios, Tensor]:
        """See ``GainLesson``: all codes of a side, each given those before it."""
        found = []
        for gains in (sides.chosen, sides.rejected):
            codes = self.codes.encode(gains)
            network: Any = self.network
            own = network.log_likelihood(codes, network.condition(*sides.told))
            with torch.no_grad():
                frozen = reference.log_likelihood(codes, reference.condition(*sides.told))
            found.append(TokenLogProbs(own, frozen, sides.mask))
        chosen, rejected = found
        return autoregressive_log_ratios(chosen, rejected), -masked_mean(chosen.policy, chosen.mask)


def begin_with(folder: Path, lesson: Lesson) -> Digest:
    """Give a lesson's network the weights that its part has in ``folder``, and return their digest.

    Raises ``MissingWeightsError`` if there are none, ``UserError`` if they are of another size.
    """
    network: Any = lesson.network
    trained = load_part(folder, lesson.kind, next(network.parameters()).device.type)
    if trained.settings != network.settings:
        raise UserError(
            f"{part_file(folder, lesson.kind)} has {trained.settings}, and {network.settings} is asked for: "
            "--channels and --blocks must be those of the weights to begin with"
        )
    network.load_state_dict(trained.state_dict())
    return weights_digest(part_file(folder, lesson.kind))


LESSONS: dict[str, type[Lesson]] = {
    lesson.kind: lesson for lesson in (EstimateLesson, FlowLesson, MaskedLesson, AutoregressiveLesson)
}
