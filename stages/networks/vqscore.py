"""VQScore's network: an auto-encoder of clean speech whose middle is one of a few thousand code vectors.

Fu, Hung and Tsao, ICLR 2024: what clean speech taught the codes lies near them, and what it did not lies
farther off. Convolutions over frames of 32 ms every 16 ms, each followed by instance normalisation on the way
in; the codes are directions, found by k-means on the first batch and then moved by running means.
"""

import json
import re
from collections.abc import Iterator, Mapping
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
_AUTHORS_LAYER = re.compile(
    r"CNN_1D_(?P<part>encoder|decoder)\.conv_(?:enc|dec)(?P<number>[1-6])\.(?P<what>weight|bias)"
)
_AUTHORS_CODES = "quantizer.quantizer._codebook."


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
        self.encoder = make_convolutions((_BINS, outer, outer, inner, inner, code, code))
        self.decoder = make_convolutions((code, code, inner, inner, outer, outer, _BINS))
        self.codes = Codebook(settings.codes, code)

    def encode(self, magnitudes: Tensor) -> Tensor:
        """Return ``(batch, frames, width)`` of ``(batch, frames, bins)``."""
        outer, outer_again, inner, inner_again, narrow, last = self.encoder
        features = _normalise(magnitudes.transpose(1, 2))
        first = _normalise(activate(outer(features)))
        second = _normalise(activate(outer_again(first)))
        third = _normalise(activate(inner(first + second)))
        fourth = _normalise(activate(inner_again(third)))
        fifth = _normalise(activate(narrow(third + fourth)))
        return _normalise(last(fifth)).transpose(1, 2)

    def decode(self, codes: Tensor) -> Tensor:
        """Return ``(batch, frames, bins)`` magnitudes of ``(batch, frames, width)``."""
        narrow, inner, inner_again, outer, outer_again, last = self.decoder
        second = activate(inner(activate(narrow(codes.transpose(1, 2)))))
        fourth = activate(outer(activate(inner_again(second)) + second))
        fifth = activate(outer_again(fourth))
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


def load_network(place: Path) -> tuple[VqScoreSettings, Mapping[str, Any]]:
    """Return what ``save_network`` wrote into a folder, or what the authors' training wrote into a file.

    Raises ``MissingWeightsError`` if it is not there, damaged, or of another network.
    """
    from stages.networks.loading import read_checkpoint  # noqa: PLC0415

    if place.is_file():
        return _read_authors_state(read_checkpoint(place), place)
    try:
        text = (place / SETTINGS_FILE).read_text(encoding="utf-8")
        settings = VqScoreSettings.model_validate_json(text)
    except (OSError, ValidationError) as error:
        raise MissingWeightsError(f"{place} has no {SETTINGS_FILE} of a VQScore network: {error}") from error
    return settings, read_checkpoint(place / WEIGHTS_FILE)


def _read_authors_state(checkpoint: Any, path: Path) -> tuple[VqScoreSettings, Mapping[str, Any]]:
    """Return sizes and state of a checkpoint in the names of github.com/JasonSWFu/VQscore at ed7189f."""
    try:
        theirs: Mapping[str, Tensor] = checkpoint["model"]["VQVAE"]
        codebooks, codes, code_width = theirs[f"{_AUTHORS_CODES}embed"].shape
        outer, inner = (len(theirs[f"CNN_1D_encoder.conv_enc{number}.bias"]) for number in (1, 3))
        is_trained = bool(theirs[f"{_AUTHORS_CODES}initted"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise MissingWeightsError(
            f"{path} is no checkpoint of VQScore's authors, or of their network for enhancement: {error}"
        ) from error
    if codebooks != 1 or not is_trained:
        raise MissingWeightsError(
            f"{path} has {codebooks} codebooks, trained: {is_trained}; one is asked for"
        )
    settings = VqScoreSettings(codes=codes, code_width=code_width, outer_width=outer, inner_width=inner)
    return settings, dict(_renamed(theirs))


def _renamed(theirs: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in this module's names; what has none keeps its own, and is then one too many."""
    ours = {"embed": "vectors", "cluster_size": "counts", "embed_avg": "sums"}
    for name, tensor in theirs.items():
        if (found := _AUTHORS_LAYER.fullmatch(name)) is not None:
            yield f"{found['part']}.{int(found['number']) - 1}.{found['what']}", tensor
        elif name.removeprefix(_AUTHORS_CODES) in ours:
            yield f"codes.{ours[name.removeprefix(_AUTHORS_CODES)]}", tensor[0]
        elif name != f"{_AUTHORS_CODES}initted":
            yield name, tensor


def save_network(network: nn.Module, settings: Record, folder: Path) -> None:
    """Write the network and its sizes to ``folder``, which is made."""
    from safetensors.torch import save_file  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()},
        folder / WEIGHTS_FILE,
    )
    (folder / SETTINGS_FILE).write_text(json.dumps(settings.model_dump(), indent=2) + "\n", encoding="utf-8")


def make_convolutions(widths: tuple[int, ...]) -> nn.ModuleList:
    """Return layers from each width to the next, over frames."""
    pairs = pairwise(widths)
    return nn.ModuleList([nn.Conv1d(before, after, KERNEL, padding=KERNEL // 2) for before, after in pairs])


def activate(features: Tensor) -> Tensor:
    """Return features after the nonlinearity of all layers but the last."""
    return functional.leaky_relu(features, SLOPE)


def _normalise(features: Tensor) -> Tensor:
    return functional.instance_norm(features)
