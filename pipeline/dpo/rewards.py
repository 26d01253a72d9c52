"""What a training with preferences is watched by."""

from typing import NamedTuple, Self

from torch import Tensor

from pipeline.dpo.log_ratios import LogRatios


class PairRewards(NamedTuple):
    """The implicit rewards of pairs, without gradients; of shape (batch,), or means of no dimension."""

    chosen: Tensor
    """β × the log ratio of the chosen side. Where it falls below 0, the model loses what it should learn."""
    rejected: Tensor
    margin: Tensor
    """Chosen less rejected."""
    accuracy: Tensor
    """1 where the chosen side has the greater reward, else 0."""

    @classmethod
    def of(cls, ratios: LogRatios, beta: float) -> Self:
        """Return the rewards: r(x, y) = β log π(y|x) / π_ref(y|x), Rafailov et al. (2023), equation 5."""
        chosen, rejected = (beta * side.detach() for side in ratios)
        margin = chosen - rejected
        return cls(chosen, rejected, margin, (margin > 0).to(margin.dtype))

    def mean(self) -> Self:
        """Return the mean of each over the pairs."""
        return type(self)(*(each.mean() for each in self))
