"""The loss of direct preference optimisation for models that learn a flow."""

from torch import Tensor
from torch.nn import functional

BETA = 1_000.0
"""What Zhang et al. (2025, arXiv 2505.04113) take for a flow-matching model of speech."""


def flow_dpo_loss(
    chosen_error: Tensor,
    rejected_error: Tensor,
    reference_chosen_error: Tensor,
    reference_rejected_error: Tensor,
    beta: float = BETA,
) -> Tensor:
    """Return the loss of each pair: −log σ(−β [(e_c − r_c) − (e_r − r_r)]).

    The four are the errors ‖v(y_t) − (y_1 − y_0)‖² of flow matching, one per pair, on the chosen and the
    rejected side, of the model that is trained (e) and of its frozen reference (r), all four with the same
    time and noise for a pair: a single-step stand-in for likelihoods, which a flow does not give cheaply.
    Mean errors, rather than sums, make β the same for long and short recordings. Where both models err
    alike the loss is log 2; it falls as the trained one gets better on the chosen side, or worse on the
    rejected one, than the reference is.

    DPO: Rafailov et al. (2023, arXiv 2305.18290), equation 7. With errors in the place of likelihoods:
    Wallace et al. (2023, arXiv 2311.12908), equation 14; for flows of speech: Zhang et al. (2025,
    arXiv 2505.04113).
    """
    advantage = (chosen_error - reference_chosen_error) - (rejected_error - reference_rejected_error)
    return -functional.logsigmoid(-beta * advantage)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of each row of ``values`` (batch, …) over the places where ``mask`` is true.

    ``mask`` must broadcast to ``values``; a row without any true place gives 0.
    """
    weights = mask.expand_as(values).to(values.dtype)
    return (values * weights).flatten(1).sum(1) / weights.flatten(1).sum(1).clamp(min=1.0)
