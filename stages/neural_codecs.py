"""Neural codecs: networks that turn speech into a few numbers and back, loaded from local weights."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from schemas import ConfigError, Digest, MissingWeightsError, RunError
from stages.pretrained import pretrained
from stages.resampling import fit_length
from stages.waveform import Samples
from stages.weights import file_digest

BackEnd = Literal["dac_transformers", "dac_descript", "encodec"]

BLOCK_S = 30.0
CONTEXT_S = 2.0
"""Longer speech goes through in blocks that are shown this much of what is before and after them."""
DESCRIPT = "pip install --no-deps descript-audio-codec descript-audiotools"


@dataclass(frozen=True, slots=True)
class NeuralCodec:
    """A loaded network, its rate, its hop, and how many bits a second it takes at a setting."""

    sample_rate: int
    hop_samples: int
    device: str
    through: Callable[[Any, float], Any]
    """A tensor (1, 1, samples) and a setting to a tensor that holds about as many samples."""
    bitrate_kbps: Callable[[float], float]

    def heard(self, samples: Samples, setting: float) -> Samples:
        """Return as many samples as went in."""
        block, context = (
            round(seconds * self.sample_rate / self.hop_samples) * self.hop_samples
            for seconds in (BLOCK_S, CONTEXT_S)
        )
        parts = []
        for start in range(0, samples.size, block):
            before = min(start, context)
            shown = samples[start - before : start + block + context]
            kept = min(block, samples.size - start)
            parts.append(self._whole(shown, setting)[before : before + kept])
        return np.concatenate(parts)

    def _whole(self, samples: Samples, setting: float) -> Samples:
        import torch  # noqa: PLC0415 - seconds

        hops = -(-samples.size // self.hop_samples) + 1  # some networks give a few samples less than they got
        padded = torch.from_numpy(fit_length(samples, hops * self.hop_samples).copy())
        with torch.inference_mode():
            heard = self.through(padded[None, None].to(self.device), setting)
        return fit_length(heard.reshape(-1).float().cpu().numpy(), samples.size)


def weights_digest(path: Path) -> Digest:
    """Return the SHA-256 of a file of weights, or of what a folder of them has inside, wherever it lies.

    Raises ``MissingWeightsError`` if there is none.
    """
    if path.is_file():
        return file_digest(path)
    files = sorted([*path.glob("config.json"), *path.glob("*.safetensors")])
    if len(files) < 2:  # noqa: PLR2004 - settings and weights
        raise MissingWeightsError(
            f"{path} is no folder with config.json and safetensors: put the weights there"
        )
    listed = "\n".join(f"{file.name} {file_digest(file)}" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


@lru_cache(maxsize=2)
def load(back_end: BackEnd, path: Path, sha256: Digest | None, device: str) -> NeuralCodec:
    """Return the network in ``path``, ready on ``device``; the last two are kept.

    Raises ``MissingWeightsError`` if weights are not there, not those that ``sha256`` names, or another
    network's, and ``RunError`` if there is no such device.
    """
    found = weights_digest(path)
    if sha256 not in {None, found}:
        raise MissingWeightsError(f"{path} has SHA-256 {found}, but {sha256} was asked for")
    import torch  # noqa: PLC0415

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise RunError(f"{device} was asked for, but this torch sees no GPU")
    return BACK_ENDS[back_end](path, device)


def _dac(path: Path, device: str) -> NeuralCodec:
    from transformers import DacModel  # noqa: PLC0415

    model = pretrained(DacModel, path).to(device)
    settings = model.config

    def through(waveform: Any, num_codebooks: float) -> Any:
        codes = model.encode(waveform, n_quantizers=int(num_codebooks)).audio_codes
        return model.decode(audio_codes=codes).audio_values

    frames_per_s = settings.sampling_rate / settings.hop_length
    bits = math.log2(settings.codebook_size)
    return NeuralCodec(
        settings.sampling_rate,
        settings.hop_length,
        device,
        through,
        lambda number: 1e-3 * frames_per_s * bits * min(number, settings.n_codebooks),
    )


def _encodec(path: Path, device: str) -> NeuralCodec:
    from transformers import EncodecModel  # noqa: PLC0415

    model = pretrained(EncodecModel, path).to(device)
    settings = model.config
    if settings.audio_channels != 1:
        raise ConfigError(
            f"{path} holds an EnCodec of {settings.audio_channels} channels; speech here has one"
        )

    def through(waveform: Any, bandwidth_kbps: float) -> Any:
        if bandwidth_kbps not in settings.target_bandwidths:
            raise ConfigError(f"{path} knows {settings.target_bandwidths} kbit/s, not {bandwidth_kbps}")
        coded = model.encode(waveform, None, bandwidth=bandwidth_kbps)
        return model.decode(coded.audio_codes, coded.audio_scales).audio_values

    hop = math.prod(settings.upsampling_ratios)
    return NeuralCodec(settings.sampling_rate, hop, device, through, lambda bandwidth_kbps: bandwidth_kbps)


def _dac_descript(path: Path, device: str) -> NeuralCodec:
    try:
        import dac  # noqa: PLC0415
    except (ImportError, OSError) as error:  # OSError: a torchaudio that does not fit this torch
        raise MissingWeightsError(f"the package of the original DAC is not there: {DESCRIPT}") from error
    model = dac.DAC.load(path).eval().to(device)

    def through(waveform: Any, num_codebooks: float) -> Any:
        return model.decode(model.encode(waveform, n_quantizers=int(num_codebooks))[0])

    bits = model.sample_rate / model.hop_length * math.log2(model.codebook_size)
    return NeuralCodec(
        model.sample_rate,
        model.hop_length,
        device,
        through,
        lambda number: 1e-3 * bits * min(number, model.n_codebooks),
    )


BACK_ENDS: Mapping[BackEnd, Callable[[Path, str], NeuralCodec]] = {
    "dac_transformers": _dac,
    "dac_descript": _dac_descript,
    "encodec": _encodec,
}
