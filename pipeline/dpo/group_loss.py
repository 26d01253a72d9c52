"""Losses of groups: a reward for each of several takes of one input, instead of a pair of them."""

import torch
from torch import Tensor


def clipped_loss(log_ratios: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """Return the loss of each take: −min(ρ A, clip(ρ, 1 − ε, 1 + ε) A), where ρ is e to its log ratio.

    ``log_ratios`` are log π(take) − log π_old(take), π_old being the model that drew the take, and
    ``advantages`` those of `pipeline.panel.group_advantages`, both of shape (takes,). Once a take has become
    more likely, or less, by ``clip`` than when it was drawn, there is nothing to gain from going on; an
    advantage of 0 gives neither loss nor gradient. Schulman et al. (2017, arXiv 1707.06347), equation 7, with
    the advantages of Shao et al. (2024, arXiv 2402.03300).
    """
    ratios = log_ratios.exp()
    return -torch.minimum(ratios * advantages, ratios.clamp(1.0 - clip, 1.0 + clip) * advantages)
