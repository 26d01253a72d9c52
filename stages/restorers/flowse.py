"""FlowSE: flow matching of mel spectrograms, and a vocoder, from 16 to 24 kHz."""

from typing import Annotated, ClassVar

from pydantic import Field

from stages.operators.restorer import RESTORERS
from stages.restorers.common.worker import PublishedWorker
from stages.weights.files import Weights
from stages.weights.repositories import KnownFiles, make_hub_file, weights_of_revision

CHECKPOINT = "wenetspeech4tts_Premium.pt.tar"
VOCOS = "charactr/vocos-mel-24khz"
VOCOS_REVISION = "0feb3fdd929bcd6649e0e7c5a688cf7dd012ef21"
VOCOS_FILES: KnownFiles = {
    "config.yaml": (461, "da9033922f969a47f0c160010226919e59f27761fd5066f3828d46de6650b0fc"),
    "pytorch_model.bin": (54_365_991, "97ec976ad1fd67a33ab2682d29c0ac7df85234fae875aefcc5fb215681a91b2a"),
}
"""Bytes and SHA-256, as several projects that pin them have them."""


@RESTORERS.register
class FlowSE(PublishedWorker):
    """A diffusion transformer flows from noise to clean mels, given the degraded ones; it samples.

    Wang et al. 2025 (arXiv 2505.19476); check out github.com/Honee-W/FlowSE at
    cfb81f171d804689bf7607afd0d12a6ee89de547. Another model of that name (Lee et al., ICASSP 2025) has nothing
    to do with it. Used without a transcript. Hazards: no licence with code or weights; it was trained on
    16 kHz speech and gives 24 kHz, of which the upper third is the vocoder's; without text it is weaker.
    """

    kind: ClassVar[str] = "flowse"
    paradigm: ClassVar[str] = "flow matching"
    licence: ClassVar[str] = "unknown"
    weights: ClassVar[str] = f"huggingface.co: flowse/{CHECKPOINT}, {VOCOS}"
    sampling: ClassVar[bool] = True
    sample_rate: ClassVar[int] = 16_000
    needs_repository: ClassVar[bool] = True

    steps: Annotated[int, Field(ge=1, le=1000)] = 32
    """Euler steps of the flow."""
    guidance: Annotated[float, Field(ge=0.0)] = 1.0
    """Strength of classifier-free guidance; 0 is none, and halves the time."""

    @property
    def published(self) -> Weights:
        """The transformer, and the vocoder of its mels."""
        vocos = weights_of_revision("vocos", VOCOS, VOCOS_REVISION, "MIT", VOCOS_FILES).files
        flow = make_hub_file(
            f"flowse/{CHECKPOINT}",
            CHECKPOINT,
            revision="df1bd3f8249a51f78d2b79bb037c9bdbcf660640",
            sha256="c342175051d1ca38338993228e8a632181b9b556f9f1e310ac3e07bef54f446f",
            about_bytes=1_350_000_000,
        )
        return Weights(
            name="flowse",
            source=f"https://huggingface.co/flowse/{CHECKPOINT}",
            licence="unknown AND MIT",
            files=(flow, *(file.model_copy(update={"name": f"vocos/{file.name}"}) for file in vocos)),
        )
