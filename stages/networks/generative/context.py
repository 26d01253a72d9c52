"""What a generator is told of degraded speech, by the predictive network before it."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from stages.networks.generative.gains import band_levels, gains_between
from stages.networks.generative.spectra import analyse


class GainContext(NamedTuple):
    """What is known when gains are generated."""

    degraded: Tensor
    """Spectra (batch, bins, frames), complex."""
    spectra: Tensor
    """The estimate, of the same shape: what gains are applied to."""
    hidden: Tensor
    degraded_db: Tensor
    estimate_db: Tensor

    @property
    def told(self) -> tuple[Tensor, Tensor, Tensor]:
        """What ``Condition`` takes."""
        return self.hidden, self.degraded_db, self.estimate_db


def hear(estimator: Any, degraded: Tensor) -> GainContext:
    """Return what the frozen ``estimator`` makes of waveforms (batch, samples) at the networks' level."""
    with torch.no_grad():
        estimate = estimator(degraded)
        return GainContext(
            estimate.degraded,
            estimate.spectra,
            estimate.hidden,
            band_levels(estimate.degraded),
            band_levels(estimate.spectra),
        )


def gains_to(clean: Tensor, context: GainContext) -> Tensor:
    """Return the gains (batch, bands, steps) that lead from the estimate to clean waveforms."""
    return gains_between(context.spectra, analyse(clean))
