"""The two sides of pairs as gains around one estimate: what preferences are learnt from."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from pipeline.dpo.batch import PairBatch
from stages.networks.generative.context import gains_to, hear
from stages.networks.generative.spectra import LEVEL_RMS, STEP


class Sides(NamedTuple):
    """Pairs as the networks know them, on one device."""

    told: tuple[Tensor, Tensor, Tensor]
    """What the degraded speech says, for ``Condition``."""
    chosen: Tensor
    """Gains (batch, bands, steps)."""
    rejected: Tensor
    mask: Tensor
    """True where a step holds audio (batch, 1, steps)."""

    @classmethod
    def of(cls, batch: PairBatch, estimator: Any) -> "Sides":
        """Return the sides of a batch: what lies between the estimate and each restoration."""
        power = torch.where(batch.mask, batch.degraded**2, 0.0).sum(dim=1) / batch.lengths
        scale = (LEVEL_RMS / power.sqrt().clamp_min(1e-6))[:, None]
        context = hear(estimator, scale * batch.degraded)
        chosen, rejected = (gains_to(scale * side, context) for side in (batch.chosen, batch.rejected))
        steps = torch.arange(chosen.shape[-1], device=chosen.device) * STEP
        return cls(context.told, chosen, rejected, (steps[None] < batch.lengths[:, None])[:, None])
