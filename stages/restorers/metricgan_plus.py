"""MetricGAN+: a recurrent mask over spectra that was trained to please PESQ, by SpeechBrain."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from stages.audio.resampling import fit_length
from stages.audio.waveform import Waveform
from stages.networks.loading import read_checkpoint, tensors_of, with_state
from stages.networks.speechbrain_lobes import import_lobe
from stages.operators.distributions import Distribution, Uniform
from stages.operators.restorer import RESTORERS, MixedPrecision
from stages.operators.unbatched_restorer import Strength, blend
from stages.weights.files import Weights
from stages.weights.has_weights import HasWeights
from stages.weights.repositories import HUB, make_hub_file

_REPOSITORY = "speechbrain/metricgan-plus-voicebank"
_REVISION = "a196ce26b3bdace6fa1d819017584bdbcce462a8"
_FRAME, _HOP = 512, 256
SMALLEST_POWER = 1e-14


@RESTORERS.register
class MetricGanPlus(HasWeights, MixedPrecision):
    """Fu et al. (Interspeech 2021), trained on VoiceBank-DEMAND, against noise.

    ``path`` is an ``enhance_model.ckpt``: a state of SpeechBrain's EnhancementGenerator, read as tensors
    alone. The recipe's hyperparams.yaml can name any code to run, so it is not read: what it says of
    spectra is said here.
    """

    kind: ClassVar[str] = "metricgan_plus"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = "speechbrain/metricgan-plus-voicebank"
    unverified: ClassVar[str] = "not run with its published weights, only with small random ones"
    paradigm: ClassVar[str] = "predictive"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "speechbrain")
    draws: ClassVar[Mapping[str, Distribution]] = {"strength": Uniform(low=0.5, high=1.0)}

    strength: Strength = 1.0

    _network: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz: frames of 32 ms every 16 ms."""
        return 16_000

    @property
    def batch_s(self) -> float:
        """Two minutes at once."""
        return 120.0

    @property
    def tolerance(self) -> float:
        """Matrix products of other sizes round otherwise."""
        return 1e-4

    @property
    def published(self) -> Weights:
        """The one file that enhancement needs; its digest as several projects that pin it have it."""
        file = make_hub_file(
            _REPOSITORY,
            "enhance_model.ckpt",
            revision=_REVISION,
            sha256="147bfb866bac8264603546e035bf283370e716ed2f4b7412d308d2bcee88304f",
            size_bytes=7_586_021,
        )
        return Weights(
            name="metricgan-plus",
            source=f"{HUB}/{_REPOSITORY}",
            revision=_REVISION,
            licence="Apache-2.0",
            files=(file,),
        )

    def load(self, device: str) -> None:
        """Build the network; raises ``MissingWeightsError`` if the file is another one's state, or code."""
        import torch  # noqa: PLC0415

        place = self.require_place()
        state = tensors_of(read_checkpoint(place), place)
        with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten
            network = import_lobe("models.MetricGAN").EnhancementGenerator()
        self._network = with_state(network, state, place, device)

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return the denoised inputs, of the same length."""
        import torch  # noqa: PLC0415

        device = next(self._network.parameters()).device
        sizes = [waveform.samples.size for waveform in batch]
        rows = np.stack([fit_length(waveform.samples, max(sizes)) for waveform in batch])
        window = torch.hamming_window(_FRAME, device=device)
        with torch.inference_mode():
            spectra = torch.stft(
                torch.from_numpy(rows).to(device), _FRAME, _HOP, window=window, pad_mode="constant",
                return_complex=True,
            )  # fmt: skip
            frames = torch.tensor([size // _HOP + 1 for size in sizes], device=device)
            masked = self._apply_mask(spectra, frames / frames.max())
            heard = [
                torch.istft(row[:, :count], _FRAME, _HOP, window=window, length=size).cpu().numpy()
                for row, count, size in zip(masked, frames, sizes, strict=True)
            ]
        return [blend(each, made, self.strength) for each, made in zip(batch, heard, strict=True)]

    def _apply_mask(self, spectra: Any, lengths: Any) -> Any:
        """Return spectra (inputs, bins, frames) whose log magnitudes were multiplied by the mask."""
        import torch  # noqa: PLC0415

        magnitudes = (spectra.real.square() + spectra.imag.square() + SMALLEST_POWER).sqrt()
        features = magnitudes.log1p().transpose(1, 2)
        mask = self._network(features, lengths=lengths)
        return torch.polar((mask * features).expm1().transpose(1, 2), spectra.angle())
