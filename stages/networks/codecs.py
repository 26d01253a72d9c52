"""Neural codecs: networks that turn speech into a few numbers and back, loaded from local weights."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from schemas import ConfigError, MissingWeightsError
from stages import torchaudio_guard
from stages.audio.resampling import fit_length
from stages.audio.waveform import Samples
from stages.networks.loading import require_device
from stages.operators.licences import UNKNOWN
from stages.weights.checkpoints import load_pretrained, read_checkpoint
from stages.weights.files import Weights
from stages.weights.repositories import weights_of_revision

BackEnd = Literal["dac_transformers", "dac_descript", "encodec"]

PUBLISHED_CODECS: Mapping[BackEnd, Weights] = {
    "dac_transformers": weights_of_revision(
        "dac_44khz",
        "descript/dac_44khz",
        "c1bc521685adf9cfe247bc39a5ca58917eda1ac4",
        "MIT",
        {
            "config.json": (None, "4eb55fb9af1990b8d608184ad29b70e358589719af7ea8d3c06998f7c2264a64"),
            "model.safetensors": (
                306_507_276,
                "6128ebff483a41422b0164d079a3773b0d8d82e64c4293d775994cbf8baf913a",
            ),
        },
    ),
    "encodec": weights_of_revision(
        "encodec_24khz",
        "facebook/encodec_24khz",
        "c1dbe2ae3f1de713481a3b3e7c47f357092ee040",
        UNKNOWN,
        {
            "config.json": (None, None),
            "model.safetensors": (None, "37a7cb100f71a29e6c1d815aca8666a1d7ea8885ebe44c306c751a5103559d57"),
        },
    ),
}
"""By back end. Neither page on the hub states a licence: DAC's is that of descriptinc/descript-audio-codec,
from which it was converted, and for EnCodec's weights there is none (facebookresearch/encodec, issue 69)."""
CODEC_BLOCK_S = 30.0
CONTEXT_S = 2.0
"""Longer speech goes through in blocks that are shown this much of what is before and after them."""
DESCRIPT = "pip install --no-deps descript-audio-codec descript-audiotools"


@dataclass(frozen=True, slots=True)
class LoadedCodec:
    """A loaded network, its rate, its hop, and how many bits a second it takes at a setting."""

    sample_rate: int
    hop_samples: int
    device: str
    through: Callable[[Any, float], Any]
    """A tensor (1, 1, samples) and a setting to a tensor that holds about as many samples."""
    bitrate_kbps: Callable[[float], float]

    def transcode(self, samples: Samples, setting: float) -> Samples:
        """Return as many samples as went in."""
        block, context = (
            round(seconds * self.sample_rate / self.hop_samples) * self.hop_samples
            for seconds in (CODEC_BLOCK_S, CONTEXT_S)
        )
        parts = []
        for start in range(0, samples.size, block):
            before = min(start, context)
            shown = samples[start - before : start + block + context]
            kept = min(block, samples.size - start)
            parts.append(self._transcode_whole(shown, setting)[before : before + kept])
        return np.concatenate(parts)

    def _transcode_whole(self, samples: Samples, setting: float) -> Samples:
        import torch  # noqa: PLC0415 - seconds

        hops = -(-samples.size // self.hop_samples) + 1  # some networks give a few samples less than they got
        padded = torch.from_numpy(fit_length(samples, hops * self.hop_samples).copy())
        with torch.inference_mode():
            heard = self.through(padded[None, None].to(self.device), setting)
        return fit_length(heard.reshape(-1).float().cpu().numpy(), samples.size)


@lru_cache(maxsize=2)
def load_codec(back_end: BackEnd, path: Path, device: str) -> LoadedCodec:
    """Return the network in ``path``, ready on ``device``; the last two are kept.

    Raises ``MissingWeightsError`` if the weights are another network's or not all there, and ``RunError`` if
    there is no such device.
    """
    return BACK_ENDS[back_end](path, require_device(device))


def _load_dac(path: Path, device: str) -> LoadedCodec:
    model = load_pretrained("DacModel", path).to(device)
    settings = model.config

    def through(waveform: Any, num_codebooks: float) -> Any:
        codes = model.encode(waveform, n_quantizers=int(num_codebooks)).audio_codes
        return model.decode(audio_codes=codes).audio_values

    frames_per_s = settings.sampling_rate / settings.hop_length
    bits = math.log2(settings.codebook_size)
    return LoadedCodec(
        settings.sampling_rate,
        settings.hop_length,
        device,
        through,
        lambda number: 1e-3 * frames_per_s * bits * min(number, settings.n_codebooks),
    )


def _load_encodec(path: Path, device: str) -> LoadedCodec:
    model = load_pretrained("EncodecModel", path).to(device)
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
    return LoadedCodec(settings.sampling_rate, hop, device, through, lambda bandwidth_kbps: bandwidth_kbps)


def _load_dac_descript(path: Path, device: str) -> LoadedCodec:
    torchaudio_guard.install_guard()
    try:
        import dac  # noqa: PLC0415
    except (ImportError, OSError) as error:  # OSError: a torchaudio that does not fit this torch
        raise MissingWeightsError(f"the package of the original DAC is not there: {DESCRIPT}") from error
    checkpoint = read_checkpoint(path)  # DAC.load would run a package of torch's, if it were given one
    try:
        model = dac.DAC(**checkpoint["metadata"]["kwargs"])
        model.load_state_dict(checkpoint["state_dict"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise MissingWeightsError(f"{path} holds no weights of the original DAC: {error}") from error
    model = model.eval().to(device)

    def through(waveform: Any, num_codebooks: float) -> Any:
        return model.decode(model.encode(waveform, n_quantizers=int(num_codebooks))[0])

    bits = model.sample_rate / model.hop_length * math.log2(model.codebook_size)
    return LoadedCodec(
        model.sample_rate,
        model.hop_length,
        device,
        through,
        lambda number: 1e-3 * bits * min(number, model.n_codebooks),
    )


BACK_ENDS: Mapping[BackEnd, Callable[[Path, str], LoadedCodec]] = {
    "dac_transformers": _load_dac,
    "dac_descript": _load_dac_descript,
    "encodec": _load_encodec,
}
