"""UTMOS: naturalness, predicted without a reference."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from stages.audio.waveform import Samples
from stages.operators.metric import METRICS, Aspect, Better, Measured, Output
from stages.operators.metric_bases import NoReferenceMetric, heard_by_length
from stages.weights.files import WeightFile, Weights
from stages.weights.has_weights import HasWeights

_SAMPLE_RATE = 16_000
_PUBLISHED = Weights(
    name="utmos22_strong",
    source="https://github.com/tarepan/SpeechMOS",
    revision="v1.0.0",
    licence="MIT",
    files=(
        WeightFile(
            name="utmos22_strong_step7459_v1.pt",
            url="https://github.com/tarepan/SpeechMOS/releases/download/v1.0.0/utmos22_strong_step7459_v1.pt",
            sha256="38aa51ab79e2a4e09a1449758a4b37e9cbb2e8235a49662a732d33a9ba1e9bff",
            size_bytes=411_179_119,
        ),
    ),
)


@METRICS.register
class Utmos(HasWeights, NoReferenceMetric):
    """The strong learner of UTMOS (Saeki et al., Interspeech 2022), in opinion scores from about 1 to 5.

    The checkpoint is the one that SpeechMOS made of the original, by its own names. Nothing is padded, since
    the network knows no mask and padding would move the score (sarulab-speech/UTMOS22, issue 22). Attention
    over time takes memory by the square, so long recordings are the mean of parts of at most 30 s. UTMOSv2
    is another metric: it hears random stretches, and so says something else each time.
    """

    kind: ClassVar[str] = "utmos"
    version: ClassVar[int] = 2
    weights: ClassVar[str] = "utmos22_strong_step7459_v1.pt of tarepan/SpeechMOS, release v1.0.0, MIT"
    packages: ClassVar[tuple[str, ...]] = ("transformers",)
    unverified: ClassVar[str] = "not run with its published weights"
    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")
    longest_s: ClassVar[float] = 30.0
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.PERCEPTUAL_QUALITY,
            better=Better.HIGHER,
            noise_floor=0.1,
            votes=False,
            note="trained on synthetic speech, weak on real noise, so no vote by default",
        )
    }

    _network: Any = PrivateAttr(default=None)

    @property
    def published(self) -> Weights:
        """The checkpoint as SpeechMOS publishes it."""
        return _PUBLISHED

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return _SAMPLE_RATE

    def load(self, device: str) -> None:
        """Build a network of the checkpoint's size; raises ``MissingWeightsError`` without one."""
        from stages.networks import loading, utmos  # noqa: PLC0415

        place = self.require_place()
        state = utmos.rename_utmos_tensors(loading.tensors_of(loading.read_checkpoint(place), place))
        self._network = loading.with_state(utmos.UtmosNetwork(state, place), state, place, device)

    def hear(self, samples: Samples) -> Measured:
        """Return the score."""
        from stages.networks.loading import run_network  # noqa: PLC0415

        return {"": float(run_network(self._network, samples)[0])}

    def hear_together(self, blocks: Sequence[Samples]) -> Sequence[Measured]:
        """Return the same with recordings of one length in a batch."""
        return heard_by_length(blocks, self._hear_alike)

    def _hear_alike(self, samples: NDArray[np.float32]) -> list[Measured]:
        from stages.networks.loading import run_batch  # noqa: PLC0415

        return [{"": score} for score in run_batch(self._network, samples).tolist()]
