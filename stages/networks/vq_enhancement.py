"""VQScore's network for enhancement: speech through codes that only clean speech has taught.

Fu, Hung and Tsao, ICLR 2024: what a quantiser of clean speech cannot say is left out. Convolutions and two
layers of attention on either side of the codes, over log magnitudes of 32 ms every 8 ms; phases are those of
the input. Means over time are taken out on the way in, so that steady colour and level say little.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from schemas import MissingWeightsError, Record
from stages.networks.vqscore import (
    KMEANS_ROUNDS,
    LEAST_POWER,
    SETTINGS_FILE,
    WEIGHTS_FILE,
    activate,
    make_convolutions,
)

_TRANSFORM, _HOP = 512, 128
_BINS = _TRANSFORM // 2 + 1
_DROPOUT = 0.4
_LAYERS = 2
_LEAST_COUNT = 1e-3
_THEIR_LAYER = re.compile(r"CNN_1D_(encoder|decoder)\.conv_(?:enc|dec)([1-6])\.(weight|bias)")
_THEIR_ATTENTION = re.compile(r"CNN_1D_(encoder|decoder)\.transformer_(?:encoder|decoder)\.(.+)")
_THEIR_CODES = "quantizer.quantizer._codebook."


class VqEnhancementSettings(Record):
    """Sizes; the defaults are those of the authors' network."""

    codes: int = Field(default=4_096, ge=2)
    code_width: int = Field(default=128, ge=8)
    outer_width: int = Field(default=200, ge=1)
    inner_width: int = Field(default=150, ge=1)
    heads: int = Field(default=8, ge=1)
    """Of attention; ``code_width`` is a multiple of it."""


class VqEnhancer(nn.Module):
    """Encoder, codes and decoder."""

    def __init__(self, settings: VqEnhancementSettings) -> None:
        super().__init__()
        outer, inner, code = settings.outer_width, settings.inner_width, settings.code_width
        self.encoder = make_convolutions((_BINS, outer, outer, inner, inner, code, code))
        self.attend_in = _make_attention(settings)
        self.codes = CleanCodes(settings.codes, code)
        self.attend_out = _make_attention(settings)
        self.decoder = make_convolutions((code, code, inner, inner, outer, outer, _BINS))

    def encode(self, features: Tensor) -> Tensor:
        """Return ``(batch, frames, width)`` of log magnitudes ``(batch, frames, bins)``."""
        layers = [lambda x, conv=conv: _centre(activate(conv(x))) for conv in self.encoder]
        first = layers[0](_centre(features.transpose(1, 2)))
        third = layers[2](first + layers[1](first))
        fifth = layers[4](third + layers[3](third))
        attended = self.attend_in((fifth + layers[5](fifth)).transpose(1, 2))
        return _centre(attended.transpose(1, 2)).transpose(1, 2)

    def decode(self, codes: Tensor) -> Tensor:
        """Return log magnitudes ``(batch, frames, bins)`` of code vectors ``(batch, frames, width)``."""
        narrow, inner, inner_again, outer, outer_again, last = self.decoder
        second = activate(inner(activate(narrow(self.attend_out(codes).transpose(1, 2)))))
        fourth = activate(outer(activate(inner_again(second)) + second))
        return functional.relu(last(activate(outer_again(fourth)) + fourth)).transpose(1, 2)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return enhanced waveforms ``(batch, samples)``, of the phases and the length of the input."""
        magnitudes = self.decode(self.codes(self.encode(log_magnitudes_of(waveforms)))).expm1()
        window = torch.hamming_window(_TRANSFORM, device=waveforms.device)
        heard = torch.stft(
            waveforms, _TRANSFORM, _HOP, window=window, pad_mode="constant", return_complex=True
        )
        spectra = torch.polar(magnitudes.transpose(1, 2), heard.angle())
        return torch.istft(spectra, _TRANSFORM, _HOP, window=window, length=waveforms.shape[-1])


class CleanCodes(nn.Module):
    """Vectors that clean speech is near to, with the running means that they are moved by."""

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, number: int, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(number, width))
        self.register_buffer("counts", torch.zeros(number))
        self.register_buffer("sums", torch.zeros(number, width))

    def choose(self, encoded: Tensor) -> Tensor:
        """Return the number of the nearest code ``(batch, frames)`` for each frame."""
        return self.logits(encoded).argmax(dim=1).reshape(encoded.shape[:-1])

    def forward(self, encoded: Tensor) -> Tensor:
        """Return the nearest code for each frame."""
        return self.vectors[self.choose(encoded)]

    def logits(self, encoded: Tensor) -> Tensor:
        """Return how near each code is ``(frames, codes)``: minus the distance."""
        return -torch.cdist(encoded.flatten(0, -2), self.vectors)

    def start(self, encoded: Tensor, generator: torch.Generator) -> None:
        """Find the codes in ``(…, width)`` by k-means from a random choice of frames."""
        frames = encoded.flatten(0, -2)
        number = len(self.vectors)
        chosen = [torch.randperm(len(frames), generator=generator) for _ in range(-(-number // len(frames)))]
        self.vectors.copy_(frames[torch.cat(chosen)[:number].to(frames.device)])
        for _ in range(KMEANS_ROUNDS):
            counts, sums = self._gather(frames)
            means = sums / counts.clamp_min(1.0)[:, None]
            self.vectors.copy_(torch.where(counts[:, None] > 0, means, self.vectors))
        counts, sums = self._gather(frames)
        self.counts.copy_(counts)
        self.sums.copy_(sums)

    def move(self, encoded: Tensor, decay: float) -> None:
        """Move each code towards the frames that chose it; one that nobody chooses stays."""
        counts, sums = self._gather(encoded.flatten(0, -2))
        self.counts.lerp_(counts, 1.0 - decay)
        self.sums.lerp_(sums, 1.0 - decay)
        is_used = self.counts[:, None] > _LEAST_COUNT
        means = self.sums / self.counts.clamp_min(_LEAST_COUNT)[:, None]
        self.vectors.copy_(torch.where(is_used, means, self.vectors))

    def _gather(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        chosen = self.choose(frames)
        counts = torch.bincount(chosen, minlength=len(self.vectors)).to(frames.dtype)
        return counts, torch.zeros_like(self.sums).index_add_(0, chosen, frames)


def log_magnitudes_of(waveforms: Tensor) -> Tensor:
    """Return ``log(1 + magnitude)`` ``(batch, frames, 257)`` of ``(batch, samples)``; frames are centred."""
    window = torch.hann_window(_TRANSFORM, device=waveforms.device)
    spectra = torch.stft(waveforms, _TRANSFORM, _HOP, window=window, return_complex=True)
    power = spectra.real**2 + spectra.imag**2
    return power.clamp(min=LEAST_POWER).sqrt().log1p().transpose(1, 2)


def load_vq_enhancer(place: Path) -> tuple[VqEnhancementSettings, Mapping[str, Any]]:
    """Return what ``save_network`` wrote into a folder, or the authors' training into a file.

    Raises ``MissingWeightsError`` if it is not there, damaged, or of another network.
    """
    from stages.networks.loading import read_checkpoint  # noqa: PLC0415

    if place.is_file():
        return _read_their_state(read_checkpoint(place), place)
    try:
        settings = VqEnhancementSettings.model_validate_json((place / SETTINGS_FILE).read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise MissingWeightsError(
            f"{place} has no {SETTINGS_FILE} of a network for enhancement by codes: {error}"
        ) from error
    return settings, read_checkpoint(place / WEIGHTS_FILE)


def _read_their_state(checkpoint: Any, path: Path) -> tuple[VqEnhancementSettings, Mapping[str, Any]]:
    """Return sizes and state of a checkpoint in the names of github.com/JasonSWFu/VQscore at ed7189f."""
    try:
        theirs: Mapping[str, Tensor] = checkpoint["model"]["VQVAE"]
        _, codes, code_width = theirs[f"{_THEIR_CODES}embed"].shape
        outer, inner = (len(theirs[f"CNN_1D_encoder.conv_enc{number}.bias"]) for number in (1, 3))
        has_attention = "CNN_1D_encoder.transformer_encoder.layers.0.norm1.weight" in theirs
    except (KeyError, TypeError, ValueError) as error:
        raise MissingWeightsError(f"{path} is no checkpoint of VQScore's authors: {error}") from error
    if not has_attention:
        raise MissingWeightsError(f"{path} is the authors' network for quality, not for enhancement")
    settings = VqEnhancementSettings(codes=codes, code_width=code_width, outer_width=outer, inner_width=inner)
    return settings, dict(_with_our_names(theirs))


def _with_our_names(theirs: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in this module's names; what has none keeps its own, and is then one too many."""
    ours = {"embed": "vectors", "cluster_size": "counts", "embed_avg": "sums"}
    for name, tensor in theirs.items():
        if (layer := _THEIR_LAYER.fullmatch(name)) is not None:
            yield f"{layer[1]}.{int(layer[2]) - 1}.{layer[3]}", tensor
        elif (attention := _THEIR_ATTENTION.fullmatch(name)) is not None:
            yield f"attend_{'in' if attention[1] == 'encoder' else 'out'}.{attention[2]}", tensor
        elif name.removeprefix(_THEIR_CODES) in ours:
            yield f"codes.{ours[name.removeprefix(_THEIR_CODES)]}", tensor[0]
        elif name != f"{_THEIR_CODES}initted":
            yield name, tensor


def _make_attention(settings: VqEnhancementSettings) -> nn.TransformerEncoder:
    width = settings.code_width
    layer = nn.TransformerEncoderLayer(
        width, settings.heads, dim_feedforward=width, dropout=_DROPOUT, activation="gelu", batch_first=True
    )
    return nn.TransformerEncoder(layer, num_layers=_LAYERS, enable_nested_tensor=False)


def _centre(features: Tensor) -> Tensor:
    """Return channels ``(batch, channels, frames)`` without their means over time."""
    return features - features.mean(dim=-1, keepdim=True)
