"""SQUIM: STOI, PESQ, SI-SDR and opinions as a network expects them to be, without the reference."""

from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import Digest
from stages.audio.waveform import Samples
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric, NoReferenceMetric, split_equally
from stages.weights.files import WeightFile, Weights
from stages.weights.has_weights import HasWeights

_SAMPLE_RATE = 16_000
OPINION_BLOCK_S = 30.0
ADDRESS = "https://download.pytorch.org/torchaudio/models/"
NO_REFERENCE = "an estimate that never saw the reference, so no vote by default"
NOT_MATCHING = "hears whether it sounds as clean, not whether it is the same, so no vote by default"


def _published_weights(
    name: str, licence: str, sha256: Digest | None = None, size_bytes: int | None = None
) -> Weights:
    return Weights(
        name=name,
        source="https://docs.pytorch.org/audio/stable/pipelines.html",
        licence=licence,
        files=(
            WeightFile(name=f"{name}.pth", url=f"{ADDRESS}{name}.pth", sha256=sha256, size_bytes=size_bytes),
        ),
    )


def _estimate(low: float | None, high: float | None, noise_floor: float, note: str = NO_REFERENCE) -> Output:
    return Output(
        aspect=Aspect.PERCEPTUAL_QUALITY,
        better=Better.HIGHER,
        low=low,
        high=high,
        noise_floor=noise_floor,
        votes=False,
        note=note,
    )


@METRICS.register
class Squim(HasWeights, NoReferenceMetric):
    """TorchAudio-SQUIM (Kumar et al., ICASSP 2023): STOI, PESQ and SI-SDR in dB, estimated.

    The network brings everything to one level itself. Attention over frames of 2 ms takes memory by the
    square of the length, so long recordings are the mean of parts of at most 10 s.
    """

    kind: ClassVar[str] = "squim"
    version: ClassVar[int] = 2
    licence: ClassVar[str] = "BSD-2-Clause"
    weights: ClassVar[str] = "squim_objective_dns2020.pth of torchaudio, CC-BY-4.0"
    packages: ClassVar[tuple[str, ...]] = ("torchaudio",)
    unverified: ClassVar[str] = "not run with its published weights"
    removes_dc: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    longest_s: ClassVar[float] = 10.0
    outputs: ClassVar = {
        "stoi": _estimate(0.0, 1.0, 0.01),
        "pesq": _estimate(1.0, 4.65, 0.05),
        "si_sdr": _estimate(None, None, 0.5),
    }

    _network: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The checkpoint as torchaudio publishes it."""
        return _published_weights(
            "squim_objective_dns2020",
            "CC-BY-4.0",
            "2c54586fea83fb5eb5394d710038ee89f55cab7011a5bf730bebed4c8777e828",
            29_584_237,
        )

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build a network of the checkpoint's size; raises ``MissingWeightsError`` without one."""
        from stages.networks import loading, squim  # noqa: PLC0415

        place = self.require_place()
        state = loading.tensors_of(loading.read_checkpoint(place), place)
        self._network = loading.with_state(squim.build_objective(state, place), state, place, device)

    def hear(self, samples: Samples) -> Measured:
        """Return the three estimates."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        estimates = run_network(self._network, samples)
        return dict(zip(self.outputs, (float(each) for each in estimates), strict=True))


@METRICS.register
class SquimMos(HasWeights, FullReferenceMetric):
    """TorchAudio-SQUIM's opinion score, from 1 to 5, next to clean speech that need not be the same.

    The clean reference serves as that speech. Attention over time takes memory by the square, so long
    recordings are the mean of parts of at most 30 s, each next to the same part of the reference.
    """

    kind: ClassVar[str] = "squim_mos"
    licence: ClassVar[str] = "BSD-2-Clause"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    weights: ClassVar[str] = (
        "squim_subjective_bvcc_daps.pth of torchaudio, CC-BY-NC-4.0: not for commercial use"
    )
    packages: ClassVar[tuple[str, ...]] = ("torchaudio",)
    unverified: ClassVar[str] = "not run with its published weights"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    outputs: ClassVar = {"": _estimate(1.0, 5.0, 0.1, NOT_MATCHING)}

    _network: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The checkpoint as torchaudio publishes it."""
        return _published_weights("squim_subjective_bvcc_daps", "CC-BY-NC-4.0")

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build a network of the checkpoint's size; raises ``MissingWeightsError`` without one."""
        from stages.networks import loading, squim  # noqa: PLC0415

        place = self.require_place()
        state = squim.rename_squim_tensors(loading.tensors_of(loading.read_checkpoint(place), place))
        self._network = loading.with_state(squim.build_subjective(state, place), state, place, device)

    def measure(self, comparison: Comparison) -> Measured:
        """Return the opinion of the candidate next to the clean reference."""
        longest = OPINION_BLOCK_S * _SAMPLE_RATE
        sides = (comparison.candidate.samples, comparison.clean.samples)
        blocks = zip(*(split_equally(side, longest) for side in sides), strict=True)
        return {"": float(np.mean([self._opinion(candidate, clean) for candidate, clean in blocks]))}

    def _opinion(self, candidate: Samples, clean: Samples) -> float:
        from stages.networks.loading import run_network  # noqa: PLC0415

        return float(run_network(self._network, candidate, clean)[0])
