"""FastEnhancer with dual-path recurrent blocks, 527 thousand weights."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.restorers.fast_enhancer import SPECTRA, weights_in_history
from stages.weights.files import Weights


@RESTORERS.register
class FeDprnn(OnnxGraph):
    """A variant in Ahn et al. (2025), size M, trained on VoiceBank-DEMAND, against noise."""

    kind: ClassVar[str] = "fe_dprnn"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "history of aask1357/fastenhancer on GitHub, 2.1 MB"
    cost_s_per_s: ClassVar[float] = 0.043

    @property
    def published(self) -> Weights:
        """The streaming graph as the authors of FastEnhancer trained it."""
        return weights_in_history(
            "fe_dprnn",
            "dprnn_m.spec.onnx",
            2_142_004,
            "ce9fc2db5a1027ed82c32ae1fc69027651c9af0666a1af50ff9e9f9e7d7ce60d",
        )

    @property
    def layout(self) -> StreamingSpectra:
        """Frames of 32 ms every 16 ms."""
        return SPECTRA
