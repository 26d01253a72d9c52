"""By how much the trained model gives more likelihood to each side of a pair than its frozen reference does.

Every loss of preferences here is made of these two numbers per pair; what differs between kinds of models is
how they are had. All are natural logarithms, or stand-ins for them, of shape (batch,).
"""

from typing import NamedTuple

import torch
from torch import Tensor


class LogRatios(NamedTuple):
    """log π(side) − log π_ref(side) of each pair, each of shape (batch,)."""

    chosen: Tensor
    rejected: Tensor

    @property
    def difference(self) -> Tensor:
        """By how much more the chosen side gained than the rejected one."""
        return self.chosen - self.rejected


class TokenLogProbs(NamedTuple):
    """Log-probabilities of the tokens of one side, and which of them count.

    All three are of shape (batch, …), such as (batch, tokens) or (batch, codebooks, frames), or ``mask``
    broadcasts to it. What stands where ``mask`` is false may be anything, also infinite.
    """

    policy: Tensor
    """Of the model that is trained."""
    reference: Tensor
    """Of its frozen reference: no gradient should lead to it."""
    mask: Tensor
    """True where a token counts: not padding, not the input, and for masked models only what was masked."""


def flow_log_ratios(
    chosen_error: Tensor,
    rejected_error: Tensor,
    reference_chosen_error: Tensor,
    reference_rejected_error: Tensor,
) -> LogRatios:
    """Return r − e on both sides, for models that learn a flow: by how much less they err than the reference.

    The four are the errors ‖v(y_t) − (y_1 − y_0)‖² of flow matching, one per pair, of the model that is
    trained (e) and of its frozen reference (r), all with the same time and noise for a pair: a single-step
    stand-in for likelihoods, which a flow does not give cheaply. Mean errors, rather than sums, make β the
    same for long and short recordings. Wallace et al. (2023, arXiv 2311.12908), equation 14; for flows of
    speech: Zhang et al. (2025, arXiv 2505.04113).
    """
    return LogRatios(reference_chosen_error - chosen_error, reference_rejected_error - rejected_error)


def autoregressive_log_ratios(
    chosen: TokenLogProbs, rejected: TokenLogProbs, *, per_token: bool = False
) -> LogRatios:
    """Return the sum over tokens of log π(y_i | x, y_<i) − log π_ref(y_i | x, y_<i) on both sides.

    The sides may differ in length. With ``per_token`` it is the mean instead, which is what the authors of
    IPO compare, lest longer answers weigh more. Rafailov et al. (2023, arXiv 2305.18290), equation 7.
    """
    if per_token:
        return _mean_log_ratios(chosen, rejected)
    return LogRatios(*(_masked_sum(side.policy - side.reference, side.mask) for side in (chosen, rejected)))


def masked_generative_log_ratios(
    chosen: tuple[Tensor, Tensor], rejected: tuple[Tensor, Tensor], mask: Tensor
) -> LogRatios:
    """Return the mean over masked tokens of log π(y_i | x, y_t) − log π_ref(y_i | x, y_t) on both sides.

    Each side is what the trained model and what its reference make of the tokens behind the masks, (batch,
    …) each; ``mask`` is true where a token was masked. There is one mask for all four: the sides of a pair
    are of one length, and a side whose harder tokens were hidden would lose by chance. It comes from
    `draw_token_mask`. The mean, rather than the sum, makes β the same whatever share was masked. Zhang et
    al. (2025, arXiv 2505.04113), whose masked model is MaskGCT.

    Raises ``ValueError`` if the four are not of one shape.
    """
    if len({values.shape for values in (*chosen, *rejected)}) != 1:
        shapes = ", ".join(str(tuple(values.shape)) for values in (*chosen, *rejected))
        raise ValueError(f"both sides under one mask need one shape, and these have {shapes}")
    return _mean_log_ratios(TokenLogProbs(*chosen, mask), TokenLogProbs(*rejected, mask))


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of each row of ``values`` (batch, …) over the places where ``mask`` is true.

    ``mask`` must broadcast to ``values``; a row without any true place gives 0.
    """
    counts = mask.expand_as(values).to(values.dtype).flatten(1).sum(1)
    return _masked_sum(values, mask) / counts.clamp(min=1.0)


def _mean_log_ratios(chosen: TokenLogProbs, rejected: TokenLogProbs) -> LogRatios:
    return LogRatios(*(masked_mean(side.policy - side.reference, side.mask) for side in (chosen, rejected)))


def _masked_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Return the sum of each row; a product with the mask would let what is infinite in padding through."""
    return torch.where(mask, values, values.new_zeros(())).flatten(1).sum(1)
