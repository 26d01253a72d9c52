"""VQScore's network: an auto-encoder of clean speech whose middle is one of a few thousand code vectors.

Fu, Hung and Tsao, ICLR 2024: what clean speech taught the codes lies near them, and what it did not lies
farther off. Convolutions over frames of 32 ms every 16 ms, each followed by instance normalisation on the way
in; the codes are directions, found by k-means on the first batch and then moved by running means.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from schemas import MissingWeightsError, Record

VQSCORE_SAMPLE_RATE = 16_000
_FRAME = 512
_HOP = 256
_BINS = _FRAME // 2 + 1
LEAST_POWER = 1e-7
KERNEL = 7
SLOPE = 0.3
KMEANS_ROUNDS = 10
SETTINGS_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"


class VqScoreSettings(Record):
    """Sizes; the defaults are those of the paper's network for quality estimation."""

    codes: int = Field(default=2_048, ge=2)
    code_width: int = Field(default=32, ge=1)
    outer_width: int = Field(default=128, ge=1)
    inner_width: int = Field(default=64, ge=1)


class VqScoreNetwork(nn.Module):
    """Encoder, codes and decoder."""

    def __init__(self, settings: VqScoreSettings) -> None:
        super().__init__()
        outer, inner, code = settings.outer_width, settings.inner_width, settings.code_width
        self.encoder = _convolutions((_BINS, outer, outer, inner, inner, code, code))
        self.decoder = _convolutions((code, code, inner, inner, outer, outer, _BINS))
        self.codes = Codebook(settings.codes, code)

    def encode(self, magnitudes: Tensor) -> Tensor:
        """Return ``(batch, frames, width)`` of ``(batch, frames, bins)``."""
        outer, outer_again, inner, inner_again, narrow, last = self.encoder
        features = _normalise(magnitudes.transpose(1, 2))
        first = _normalise(_make_activation(outer(features)))
        second = _normalise(_make_activation(outer_again(first)))
        third = _normalise(_make_activation(inner(first + second)))
        fourth = _normalise(_make_activation(inner_again(third)))
        fifth = _normalise(_make_activation(narrow(third + fourth)))
        return _normalise(last(fifth)).transpose(1, 2)

    def decode(self, codes: Tensor) -> Tensor:
        """Return ``(batch, frames, bins)`` magnitudes of ``(batch, frames, width)``."""
        narrow, inner, inner_again, outer, outer_again, last = self.decoder
        second = _make_activation(inner(_make_activation(narrow(codes.transpose(1, 2)))))
        fourth = _make_activation(outer(_make_activation(inner_again(second)) + second))
        fifth = _make_activation(outer_again(fourth))
        return functional.relu(last(fourth + fifth)).transpose(1, 2)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Return ``(batch,)`` scores of ``(batch, samples)``: mean cosine of each frame to its code."""
        encoded = self.encode(magnitudes_of(waveforms))
        nearest = self.codes.find_nearest(encoded)
        return functional.cosine_similarity(encoded, nearest, dim=2, eps=1e-5).mean(dim=1)


class Codebook(nn.Module):
    """Directions in code space, with the running means that they are moved by."""

    vectors: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, number: int, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(number, width))
        self.register_buffer("counts", torch.zeros(number))
        self.register_buffer("sums", torch.zeros(number, width))

    def find_nearest(self, encoded: Tensor) -> Tensor:
        """Return the code of the smallest angle for each frame, of length 1."""
        return self.vectors[self._indices(functional.normalize(encoded, dim=-1))]

    def start(self, encoded: Tensor, generator: torch.Generator) -> None:
        """Find the codes in ``(…, width)`` by spherical k-means from a random choice of frames."""
        frames = functional.normalize(encoded.flatten(0, -2), dim=-1)
        number = len(self.vectors)
        chosen = [torch.randperm(len(frames), generator=generator) for _ in range(-(-number // len(frames)))]
        self.vectors.copy_(frames[torch.cat(chosen)[:number].to(frames.device)])
        for _ in range(KMEANS_ROUNDS):
            counts, sums = self._gather(frames)
            moved = functional.normalize(sums, dim=-1)
            self.vectors.copy_(torch.where(counts[:, None] > 0, moved, self.vectors))
        counts, sums = self._gather(frames)
        self.counts.copy_(counts)
        self.sums.copy_(sums)

    def move(self, encoded: Tensor, decay: float) -> None:
        """Move each code towards the frames that chose it; one that nobody chose stays."""
        counts, sums = self._gather(functional.normalize(encoded.flatten(0, -2), dim=-1))
        self.counts.lerp_(counts, 1.0 - decay)
        self.sums.lerp_(sums, 1.0 - decay)
        moved = functional.normalize(self.sums, dim=-1)
        self.vectors.copy_(torch.where(counts[:, None] > 0, moved, self.vectors))

    def _indices(self, directions: Tensor) -> Tensor:
        return (directions @ self.vectors.T).argmax(dim=-1)

    def _gather(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return how many frames chose each code, and their sum."""
        chosen = self._indices(directions)
        counts = torch.bincount(chosen, minlength=len(self.vectors)).to(directions.dtype)
        return counts, torch.zeros_like(self.sums).index_add_(0, chosen, directions)


def magnitudes_of(waveforms: Tensor) -> Tensor:
    """Return ``(batch, frames, 257)`` spectral magnitudes of ``(batch, samples)``; frames are centred."""
    window = torch.hann_window(_FRAME, device=waveforms.device)
    spectra = torch.stft(waveforms, _FRAME, _HOP, window=window, return_complex=True)
    power = spectra.real**2 + spectra.imag**2
    return power.clamp(min=LEAST_POWER).sqrt().transpose(1, 2)


def load_network(folder: Path) -> tuple[VqScoreSettings, Mapping[str, Any]]:
    """Return what ``save_network`` wrote. Raises ``MissingWeightsError`` if it is not there or damaged."""
    from stages.networks.loading import read_checkpoint  # noqa: PLC0415

    try:
        text = (folder / SETTINGS_FILE).read_text(encoding="utf-8")
        settings = VqScoreSettings.model_validate_json(text)
    except (OSError, ValidationError) as error:
        raise MissingWeightsError(f"{folder} has no {SETTINGS_FILE} of a VQScore network: {error}") from error
    return settings, read_checkpoint(folder / WEIGHTS_FILE)


def save_network(network: VqScoreNetwork, settings: VqScoreSettings, folder: Path) -> None:
    """Write the network and its sizes to ``folder``, which is made."""
    from safetensors.torch import save_file  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: value.cpu().contiguous() for key, value in network.state_dict().items()}, folder / WEIGHTS_FILE
    )
    (folder / SETTINGS_FILE).write_text(json.dumps(settings.model_dump(), indent=2) + "\n", encoding="utf-8")


def _convolutions(widths: tuple[int, ...]) -> nn.ModuleList:
    pairs = pairwise(widths)
    return nn.ModuleList([nn.Conv1d(before, after, KERNEL, padding=KERNEL // 2) for before, after in pairs])


def _make_activation(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, SLOPE)


def _normalise(features: Tensor) -> Tensor:
    return functional.instance_norm(features)
