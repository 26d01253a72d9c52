"""UL-UNAS: an ultra-lightweight U-Net found by architecture search, 171 thousand weights."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.weights.files import Weights
from stages.weights.repositories import weights_of_commit


@RESTORERS.register
class UlUnas(OnnxGraph):
    """Rong et al. (2025), trained on DNS3, against noise and some reverberation."""

    kind: ClassVar[str] = "ul_unas"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "Xiaobin-Rong/ul-unas on GitHub, 0.8 MB"
    cost_s_per_s: ClassVar[float] = 0.043

    @property
    def published(self) -> Weights:
        """The authors' streaming graph."""
        return weights_of_commit(
            "ul_unas",
            "Xiaobin-Rong/ul-unas",
            "00f7c700da43d38347f30a6ccebd86fcbc798e07",
            "MIT",
            {
                "ulunas_onnx/onnx_models/ulunas_stream_simple.onnx": (
                    788_967,
                    "f2e804d54d6a88f4f82f44d86c9f1cf646db2509bfca935cfbfc5fcd8cbfac3b",
                )
            },
        )

    @property
    def layout(self) -> StreamingSpectra:
        """Frames of 32 ms every 16 ms."""
        return StreamingSpectra(frame_samples=512, hop_samples=256, window="sqrt_hann")
