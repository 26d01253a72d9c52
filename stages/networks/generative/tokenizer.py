"""Speech as our own codes: gains of bands around the estimate of a degraded input, 62.5 times a second.

They say nothing without that input: its spectrum, as the predictive network estimates it, is what the gains
are applied to. That is why six codes of 256 are enough for a frame.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from schemas import ConfigError, Digest, MissingWeightsError
from stages.audio.audible import audible_rms
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Samples, Waveform
from stages.networks.generative.context import GainContext, gains_to, hear
from stages.networks.generative.gains import apply_band_gains
from stages.networks.generative.parts import SHIPPED, load_parts, part_file
from stages.networks.generative.spectra import GENERATIVE_SAMPLE_RATE, LEVEL_RMS, STEP, rebuild_phase
from stages.networks.loading import require_device
from stages.weights.files import weights_digest

TOKENIZER_PARTS = ("estimate", "codes")
_LEAST_RMS = 1e-6
_PHASE_ITERATIONS = 12


@dataclass(frozen=True, slots=True)
class GainTokenizer:
    """The predictive network and the codebooks of gains around what it estimates."""

    networks: Mapping[str, Any]
    num_codebooks: int
    codebook_size: int
    device: str = "cpu"
    sample_rate: int = GENERATIVE_SAMPLE_RATE
    hop_samples: int = STEP

    def codes_of_sides(self, sides: Mapping[str, Waveform]) -> dict[str, NDArray[np.int16]]:
        """Return the codes (codebooks, frames) of all sides, around the estimate of ``degraded``.

        Sides are of one recording and length. A side's codes are how far each band of it lies from that
        estimate; those of the degraded side itself undo the estimate.
        """
        context, scale, size = self._hear(sides["degraded"])
        return {name: self._codes(side, context, scale, size) for name, side in sides.items()}

    def decode(self, degraded: Waveform, codes: NDArray[np.int16]) -> Waveform:
        """Return the speech at 16 kHz that codes (codebooks, frames) make of the input that they are around.

        Of the first codebooks alone, if ``codes`` has no more. Phases are rebuilt as in ``fm``.
        """
        context, scale, size = self._hear(degraded)
        given = torch.from_numpy(codes.astype(np.int64))[None].to(self.device)
        with torch.inference_mode():
            books = self.networks["codes"].codebooks
            gains = torch.stack([book[code] for book, code in zip(books, given[0], strict=False)]).sum(dim=0)
            spectra = apply_band_gains(context.spectra, gains.T[None])
            made: Samples = rebuild_phase(spectra, size, _PHASE_ITERATIONS)[0].cpu().numpy()
        return Waveform((made / scale).astype(np.float32), self.sample_rate)

    def _hear(self, degraded: Waveform) -> tuple[GainContext, float, int]:
        """Return what the estimate says, the gain to the networks' level, and the number of samples heard."""
        low = resample(degraded, self.sample_rate).samples
        scale = LEVEL_RMS / max(audible_rms(low, self.sample_rate), _LEAST_RMS)
        return hear(self.networks["estimate"], self._tensor(low, scale)), scale, low.size

    def _codes(self, side: Waveform, context: GainContext, scale: float, size: int) -> NDArray[np.int16]:
        samples = fit_length(resample(side, self.sample_rate).samples, size)
        with torch.inference_mode():
            codes: Tensor = self.networks["codes"].encode(gains_to(self._tensor(samples, scale), context))
        found: NDArray[np.int16] = codes[0, : self.num_codebooks].cpu().numpy().astype(np.int16)
        return found

    def _tensor(self, samples: Samples, scale: float) -> Tensor:
        return torch.from_numpy((scale * samples).astype(np.float32))[None].to(self.device)


def load_gain_tokenizer(
    folder: Path = SHIPPED, device: str = "cpu", num_codebooks: int | None = None
) -> GainTokenizer:
    """Return the tokenizer of the parts ``estimate`` and ``codes`` in a folder; its first codebooks, if said.

    Raises ``MissingWeightsError`` without one of them, and ``ConfigError`` for more codebooks than there are.
    """
    lacking = [part_file(folder, part) for part in TOKENIZER_PARTS if not part_file(folder, part).is_file()]
    if lacking:
        raise MissingWeightsError(
            f"there is no {lacking[0]}; 'python -m pipeline train estimate' and then 'train codec' make a "
            "folder with both, which --codec may name"
        )
    networks = load_parts(folder, TOKENIZER_PARTS, require_device(device))
    stages, codes, _ = networks["codes"].codebooks.shape
    wanted = stages if num_codebooks is None else num_codebooks
    if not 0 < wanted <= stages:
        raise ConfigError(f"{folder} has {stages} codebooks, not {wanted}")
    return GainTokenizer(networks, wanted, codes, device)


def gain_tokenizer_digest(folder: Path = SHIPPED) -> Digest:
    """Return the digest of both parts: codes of other gains, or around another estimate, are others."""
    digests = [f"{part} {weights_digest(part_file(folder, part))}" for part in TOKENIZER_PARTS]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
