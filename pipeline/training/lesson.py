"""What there is to learn: for each network its error on a batch, and restorations to judge it by."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.training.mixtures import TrainingMixture
from stages.networks.generative.spectra import LEVEL_RMS


class Batch:
    """Mixtures as tensors (batch, samples), each pair under one gain that brings the degraded to a level."""

    def __init__(self, mixtures: Sequence[TrainingMixture], device: str) -> None:
        degraded = np.stack([mixture.degraded for mixture in mixtures])
        clean = np.stack([mixture.clean for mixture in mixtures])
        gains = LEVEL_RMS / np.maximum(np.sqrt(np.mean(degraded**2, axis=1, keepdims=True)), 1e-6)
        self.degraded = torch.from_numpy((gains * degraded).astype(np.float32)).to(device)
        self.clean = torch.from_numpy((gains * clean).astype(np.float32)).to(device)


class Lesson(ABC):
    """A network that is being trained."""

    kind: ClassVar[str]
    builds_on: ClassVar[tuple[str, ...]] = ()
    """Parts that were trained before it, and stay as they are."""
    network: nn.Module

    @abstractmethod
    def __init__(self, settings: dict[str, Any], folder: Path, device: str) -> None:
        """Make an untrained network of these sizes; parts that it builds on are in ``folder``.

        Raises ``MissingWeightsError`` without those parts.
        """

    @abstractmethod
    def error(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return what a step makes smaller; what is random in it is drawn from ``generator``."""

    @abstractmethod
    def restore(self, network: Any, degraded: Tensor, generator: torch.Generator) -> Tensor:
        """Return what ``network``, the averaged one, makes of degraded waveforms at the networks' level."""
