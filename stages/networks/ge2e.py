"""The speaker encoder of Resemblyzer: three LSTM layers over mel bands, trained with the GE2E loss.

Wan, Wang, Papir and Lopez Moreno, ICASSP 2018. Modules are named as in the published checkpoint.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from schemas import MissingWeightsError
from stages.networks.loading import tensors_of

_LAYERS = 3
_OF_THE_LOSS = {"similarity_weight", "similarity_bias"}


def state_of_ge2e(checkpoint: Any, path: Path) -> Mapping[str, Tensor]:
    """Return the tensors that embed, without those of the loss and of the optimiser.

    Raises ``MissingWeightsError`` if it is no checkpoint of this encoder.
    """
    try:
        state = tensors_of(checkpoint["model_state"], path)
    except (KeyError, TypeError, IndexError) as error:
        raise MissingWeightsError(f"{path} is no GE2E encoder: it has no 'model_state'") from error
    return {key: value for key, value in state.items() if key not in _OF_THE_LOSS}


class Ge2eNetwork(nn.Module):
    """Windows of mel bands to embeddings; widths are read off the tensors of a checkpoint."""

    def __init__(self, state: Mapping[str, Tensor], path: Path) -> None:
        super().__init__()
        try:
            bands, hidden = (state[f"lstm.weight_{side}_l0"].shape[1] for side in ("ih", "hh"))
            dimensions = state["linear.weight"].shape[0]
        except (KeyError, IndexError) as error:
            raise MissingWeightsError(f"{path} is no GE2E encoder: it lacks {error}") from error
        self.lstm = nn.LSTM(bands, hidden, _LAYERS, batch_first=True)
        self.linear = nn.Linear(hidden, dimensions)

    def forward(self, windows: Tensor) -> Tensor:
        """Return ``(windows, dimensions)``, none negative and each of length 1.

        ``windows`` are those of one recording, ``(1, windows, frames, bands)``.
        """
        _, (hidden, _) = self.lstm(windows[0])
        positive = torch.relu(self.linear(hidden[-1]))
        embeddings: Tensor = positive / positive.norm(dim=1, keepdim=True)
        return embeddings
