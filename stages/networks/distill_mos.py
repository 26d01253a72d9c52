"""The network of Distill-MOS: convolutions over compressed complex spectra, a transformer, one opinion.

Stahl and Gamper, ICASSP 2025 (arXiv 2502.05356). Modules are named as in the published checkpoint.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from schemas import MissingWeightsError
from stages.networks.loading import tensors_of

_WINDOW = 122_880
"""Samples that the network hears at once: 7.68 s at 16 kHz, which are 768 frames and 384 tokens."""
_FRAME = 320
_HOP = 160
_TOKENS = _WINDOW // _HOP // 2
_COMPRESSION = 0.3
_LEAST = 1e-12
_REACH = 6
"""Frames on either side that a token hears beside its own: one for each convolution."""
_LAYERS = 6
_HEADS = 8
_SLOPE = 0.1


def state_of_distill_mos(checkpoint: Any, path: Path) -> Mapping[str, Tensor]:
    """Return the tensors of a checkpoint; raises ``MissingWeightsError`` if it is not one of Distill-MOS."""
    try:
        state = tensors_of(checkpoint["model"], path)
    except (KeyError, TypeError, IndexError) as error:
        raise MissingWeightsError(f"{path} is no checkpoint of Distill-MOS: it has no 'model'") from error
    return state


class DistillMosNetwork(nn.Module):
    """Windows of speech to opinion scores; widths are read off the tensors of a checkpoint."""

    def __init__(self, state: Mapping[str, Tensor], path: Path) -> None:
        super().__init__()
        try:
            channels = [2, *(state[f"cnn.cnn.{2 * layer}.weight"].shape[0] for layer in range(_LAYERS))]
            self.cnn = _Convolutions(channels)
            self.transformer_pool_attn = _Opinion(state)
        except (KeyError, IndexError) as error:
            raise MissingWeightsError(f"{path} is no Distill-MOS: it lacks {error}") from error

    def forward(self, windows: Tensor) -> Tensor:
        """Return ``(windows,)`` scores from 1 to 5 of ``(1, windows, samples)``.

        At most 122,880 samples; what is shorter counts as followed by silence, and all has a peak of 1.
        """
        rows = windows[0]
        peaks = rows.abs().amax(dim=1, keepdim=True)
        tokens = self.cnn(rows / (peaks + 1e-8))
        scores: Tensor = 1.0 + 4.0 * torch.sigmoid(self.transformer_pool_attn(tokens))
        return scores


class _Convolutions(nn.Module):
    """Spectra of 20 ms every 10 ms to one vector every 20 ms."""

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(pairwise(channels)):
            stride = (2 if number else 1, 2 if number == _LAYERS - 1 else 1)
            layers += [
                nn.Conv2d(before, after, 3, stride, padding=(0, 1)),
                nn.LeakyReLU(_SLOPE, inplace=True),
            ]
        self.cnn = nn.Sequential(*layers).to(memory_format=torch.channels_last)

    def forward(self, windows: Tensor) -> Tensor:
        """Return ``(batch, 384, width)`` of ``(batch, samples)``.

        All tokens that hear nothing but the silence after a short recording are alike: one of them is made.
        """
        size = windows.shape[1]
        quiet = -(-(size + _FRAME // 2 - _HOP // 2) // _HOP)  # the first frame that no sample reaches
        last = -(-(quiet + _REACH) // 2)  # the first token that hears such frames alone
        tokens = last + _REACH // 2 + 1  # with those that hear the end of the window
        if tokens >= _TOKENS:
            return self._tokens(windows, _TOKENS)
        made = self._tokens(windows, tokens)
        alike = made[:, last : last + 1].expand(-1, _TOKENS - tokens, -1)
        return torch.cat([made[:, : last + 1], alike, made[:, last + 1 :]], dim=1)

    def _tokens(self, windows: Tensor, count: int) -> Tensor:
        padded = functional.pad(windows, (0, 2 * _HOP * count - windows.shape[1]))
        features: Tensor = self.cnn(_compressed_spectra(padded))
        return features.flatten(1, 2).transpose(1, 2)


def _compressed_spectra(samples: Tensor) -> Tensor:
    """Return ``(batch, 2, 161, frames)``: real and imaginary parts, magnitudes raised to the power 0.3."""
    overlap = (_FRAME - _HOP) // 2
    spectra = torch.stft(
        functional.pad(samples, (overlap, overlap), mode="reflect"),
        n_fft=_FRAME,
        hop_length=_HOP,
        window=torch.hann_window(_FRAME, device=samples.device),
        center=False,
        return_complex=True,
    )
    parts = torch.view_as_real(spectra).permute(0, 3, 1, 2)
    magnitudes = parts.square().sum(dim=1, keepdim=True).sqrt().clamp_min(_LEAST)
    return (parts * magnitudes ** (_COMPRESSION - 1.0)).contiguous(memory_format=torch.channels_last)


class _Opinion(nn.Module):
    """Tokens to one number: two normalisations, a transformer, and a weighted mean over time."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        inner = "transformer_pool_attn.transformer"
        width, features = state[f"{inner}.linear_proj.weight"].shape
        layers = {
            key.split(".")[4] for key in state if key.startswith(f"{inner}.transformer_encoder.layers.")
        }
        self.norm_input = nn.BatchNorm1d(features)
        self.transformer = _Transformer(features, width, len(layers))
        self.norm_trans = nn.BatchNorm1d(width)
        self.pool = _WeightedMean(width)

    def forward(self, tokens: Tensor) -> Tensor:
        normal = self.norm_input(tokens.transpose(1, 2)).transpose(1, 2)
        heard = self.transformer(normal)
        opinion: Tensor = self.pool(self.norm_trans(heard.transpose(1, 2)).transpose(1, 2))
        return opinion


class _Transformer(nn.Module):
    """An encoder whose tokens know their place by the sines that the checkpoint holds."""

    def __init__(self, features: int, width: int, layers: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(features)
        self.position_encoding = nn.Module()
        self.position_encoding.register_buffer("pe", torch.zeros(1, _TOKENS, width))
        self.linear_proj = nn.Linear(features, width)
        layer = nn.TransformerEncoderLayer(width, _HEADS, 2 * width, dropout=0.0, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        normal = self.norm(tokens.transpose(1, 2)).transpose(1, 2)
        heard: Tensor = self.transformer_encoder(self.linear_proj(normal) + self.position_encoding.pe)
        return heard


class _WeightedMean(nn.Module):
    """As in NISQA: a small network weighs the tokens, and their mean becomes a number."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, 2 * width)
        self.linear2 = nn.Linear(2 * width, 1)
        self.linear3 = nn.Linear(width, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        weights = torch.softmax(self.linear2(functional.relu(self.linear1(tokens))), dim=1)
        number: Tensor = self.linear3((weights * tokens).sum(dim=1))
        return number[:, 0]
