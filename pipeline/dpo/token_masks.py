"""Which tokens a masked generative model has to guess."""

import math

import torch
from torch import Tensor


def draw_token_mask(valid: Tensor, generator: torch.Generator) -> Tensor:
    """Return which tokens of each row to mask: true where ``valid`` (batch, …) is and it was drawn.

    The share is cos(π u / 2) with u uniform in [0, 1), drawn for each row, and at least one token, so that
    every pair has a loss: the schedule of MaskGIT (Chang et al. 2022, arXiv 2202.04200). One call serves a
    pair, both of its sides and both models. ``generator`` and the result are on the device of ``valid``.
    """
    rows = valid.flatten(1)
    device = valid.device
    shares = torch.cos(torch.rand(len(rows), generator=generator, device=device) * (math.pi / 2))
    counts = torch.ceil(shares * rows.sum(1)).clamp(min=1)
    order = torch.rand(rows.shape, generator=generator, device=device).masked_fill(~rows, 2.0)
    ranks = order.argsort(1).argsort(1)
    return ((ranks < counts[:, None]) & rows).view(valid.shape)
