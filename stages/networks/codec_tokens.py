"""Speech as the codes of a DAC: the few whole numbers a frame that token models learn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas import ConfigError
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Samples, Waveform
from stages.networks.codecs import CODEC_BLOCK_S, CONTEXT_S
from stages.networks.loading import require_device
from stages.weights.checkpoints import load_pretrained

_Codes = NDArray[np.int16]
"""Of shape (codebooks, frames)."""
LARGEST_CODEBOOK = 2**15


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A loaded DAC: what it needs, and what it gives."""

    sample_rate: int
    hop_samples: int
    num_codebooks: int
    codebook_size: int
    encode: Callable[[Samples], _Codes]
    """Samples, a whole number of hops, to one frame per hop."""
    block_s: float = CODEC_BLOCK_S
    context_s: float = CONTEXT_S

    def codes_of_sides(self, sides: Mapping[str, Waveform]) -> dict[str, _Codes]:
        """Return the codes of each side: a DAC hears it by itself."""
        return {name: self.codes(side) for name, side in sides.items()}

    def codes(self, waveform: Waveform) -> _Codes:
        """Return one frame for each hop of ``waveform``, the last one filled up with silence.

        Long speech goes through in blocks that are shown a context of what is around them.
        """
        samples = resample(waveform, self.sample_rate).samples
        num_frames = -(-samples.size // self.hop_samples)
        samples = fit_length(samples, num_frames * self.hop_samples)
        rate = self.sample_rate / self.hop_samples
        block, context = (round(seconds * rate) for seconds in (self.block_s, self.context_s))
        parts = []
        for start in range(0, num_frames, block):
            before = min(start, context)
            shown = slice((start - before) * self.hop_samples, (start + block + context) * self.hop_samples)
            parts.append(self.encode(samples[shown])[:, before : before + block])
        return np.concatenate(parts, axis=1)


@lru_cache(maxsize=2)
def load_tokenizer(path: Path, device: str = "cpu", num_codebooks: int | None = None) -> Tokenizer:
    """Return the DAC in the folder ``path``, as transformers keeps it; the first codebooks of it, if said.

    Raises ``MissingWeightsError`` if the weights are another network's or not all there, and ``ConfigError``
    if it has fewer codebooks, or codes that 16 bits cannot hold.
    """
    import torch  # noqa: PLC0415 - seconds

    model = load_pretrained("DacModel", path).to(require_device(device))
    settings = model.config
    wanted = settings.n_codebooks if num_codebooks is None else num_codebooks
    if not 0 < wanted <= settings.n_codebooks:
        raise ConfigError(f"{path} has {settings.n_codebooks} codebooks, not {wanted}")
    if settings.codebook_size > LARGEST_CODEBOOK:
        raise ConfigError(f"{path} has codebooks of {settings.codebook_size}: more than 16 bits hold")

    def encode(samples: Samples) -> _Codes:
        given = torch.from_numpy(samples.copy())[None, None].to(device)
        with torch.inference_mode():
            codes = model.encode(given, n_quantizers=wanted).audio_codes
        found: _Codes = codes[0, :wanted].cpu().numpy().astype(np.int16)
        return found

    return Tokenizer(settings.sampling_rate, settings.hop_length, wanted, settings.codebook_size, encode)
