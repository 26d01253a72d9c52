"""The network of NISQA v2: convolutions over mel segments, self-attention over time, one head per dimension.

Mittag, Naderi, Chehadi and Möller, Interspeech 2021. Modules are named as in the published checkpoint.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from schemas import MissingWeightsError

DIMENSIONS = 5
"""Heads, in the order of the checkpoint: overall, noisiness, discontinuity, coloration, loudness."""

SEGMENTS_AT_ONCE = 32
SEGMENTS_AT_ONCE_TOGETHER = 2_048
"""On a GPU, of all recordings together."""


def parts_of(checkpoint: Any, path: Path) -> tuple["NisqaNetwork", Mapping[str, Tensor], Mapping[str, Any]]:
    """Return a network as a checkpoint describes it, the tensors for it, and the checkpoint's settings.

    Raises ``MissingWeightsError`` if it is no NISQA, or of the variant with one score, NISQA-TTS.
    """
    try:
        settings, state = checkpoint["args"], checkpoint["model_state_dict"]
        if settings["model"] != "NISQA_DIM":
            raise MissingWeightsError(
                f"{path} holds a {settings['model']}, not the NISQA_DIM with all five scores"
            )
        return NisqaNetwork(settings), state, settings
    except (KeyError, TypeError) as error:
        raise MissingWeightsError(f"{path} is no checkpoint of NISQA: {error} is not in it") from error


class NisqaNetwork(nn.Module):
    """Segments of mel bands in dB to opinion scores; ``settings`` are those that the checkpoint holds."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        width = settings["td_sa_d_model"]
        self.cnn = _wrap_as_model(_SegmentNetwork(settings).to(memory_format=torch.channels_last))
        self.time_dependency = _wrap_as_model(_SelfAttention(settings))
        heads = [_AttentionPool(width, settings["pool_att_h"]) for _ in range(DIMENSIONS)]
        self.pool_layers = nn.ModuleList([_wrap_as_model(head) for head in heads])

    def forward(self, segments: Tensor) -> Tensor:
        """Return ``(1, 5)`` scores of one recording ``(1, segments, bands, frames)``."""
        return self._scores(self.cnn.model(segments[0, :, None]))

    def score_together(self, parts: Sequence[Tensor]) -> Tensor:
        """Return ``(parts, 5)`` scores of recordings ``(segments, bands, frames)``.

        The segments of all go through the convolutions together; attention hears each recording alone.
        """
        vectors = self.cnn.model(torch.cat(list(parts))[:, None], SEGMENTS_AT_ONCE_TOGETHER)
        return torch.cat([self._scores(own) for own in vectors.split([len(part) for part in parts])])

    def _scores(self, vectors: Tensor) -> Tensor:
        features = self.time_dependency.model(vectors[None])
        return torch.cat([head.model(features) for head in self.pool_layers], dim=1)


def score_parts(network: NisqaNetwork, parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return ``(parts, 5)`` scores of ``score_together``, on the network's device."""
    device = next(network.parameters()).device
    with torch.inference_mode():
        scores = network.score_together([torch.from_numpy(part.copy()).to(device) for part in parts])
    return np.asarray(scores.cpu(), dtype=np.float64)


def _wrap_as_model(inner: nn.Module) -> nn.Module:
    """Return a module that has ``inner`` as ``model``: the checkpoint has such a layer around each part."""
    outer = nn.Module()
    outer.model = inner
    return outer


class _SegmentNetwork(nn.Module):
    """Six convolutions that make one vector of each segment, whatever its size.

    A few segments at a time, which stay in a core's cache, and with channels last in memory: that takes a
    CPU half the time.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        first, second, third = (settings[f"cnn_c_out_{number}"] for number in (1, 2, 3))
        self.pools = [tuple(settings[f"cnn_pool_{number}"]) for number in (1, 2, 3)]
        kernel = tuple(settings["cnn_kernel_size"])
        sizes = [1, first, second, third, third, third]
        for number, (before, after) in enumerate(pairwise(sizes), start=1):
            self.add_module(f"conv{number}", nn.Conv2d(before, after, kernel, padding=(1, 1)))
            self.add_module(f"bn{number}", nn.BatchNorm2d(after))
        self.conv6 = nn.Conv2d(third, third, (kernel[0], self.pools[2][1]), padding=(1, 0))
        self.bn6 = nn.BatchNorm2d(third)

    def forward(self, segments: Tensor, at_once: int = SEGMENTS_AT_ONCE) -> Tensor:
        return torch.cat([self._vectors(part) for part in segments.split(at_once)])

    def _vectors(self, segments: Tensor) -> Tensor:
        pool_after = dict(zip((1, 2, 4), self.pools, strict=True))
        features = segments
        for number in range(1, 7):
            convolved = self.get_submodule(f"conv{number}")(features)
            features = functional.relu(self.get_submodule(f"bn{number}")(convolved))
            if number in pool_after:
                features = functional.adaptive_max_pool2d(features, pool_after[number])
        return features.flatten(1)


class _SelfAttention(nn.Module):
    """A linear map to the width of the attention, one normalisation, and the layers."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        width = settings["td_sa_d_model"]
        self.norm1 = nn.LayerNorm(width)
        self.linear = nn.Linear(settings["cnn_c_out_3"] * settings["cnn_pool_3"][0], width)
        layers = [
            nn.TransformerEncoderLayer(
                width, settings["td_sa_nhead"], settings["td_sa_h"], dropout=0.0, batch_first=True
            )
            for _ in range(settings["td_sa_num_layers"])
        ]
        self.layers = nn.ModuleList(layers)

    def forward(self, features: Tensor) -> Tensor:
        features = self.norm1(self.linear(features))
        for layer in self.layers:
            features = layer(features)
        return features


class _AttentionPool(nn.Module):
    """A weighted mean over time, with weights from a small network, and one number of it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, 1)
        self.linear3 = nn.Linear(width, 1)

    def forward(self, features: Tensor) -> Tensor:
        weights = torch.softmax(self.linear2(functional.relu(self.linear1(features))), dim=1)
        pooled: Tensor = self.linear3((weights * features).sum(dim=1))
        return pooled
