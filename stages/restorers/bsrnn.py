"""BSRNN: recurrence over split bands, 335 thousand weights."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.restorers.fast_enhancer import SPECTRA, weights_in_history
from stages.weights.files import Weights


@RESTORERS.register
class Bsrnn(OnnxGraph):
    """Size XT of Luo and Yu (2023), trained on VoiceBank-DEMAND, against noise."""

    kind: ClassVar[str] = "bsrnn"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "history of aask1357/fastenhancer on GitHub, 1.6 MB"
    cost_s_per_s: ClassVar[float] = 0.041

    @property
    def published(self) -> Weights:
        """The streaming graph as the authors of FastEnhancer trained it."""
        return weights_in_history(
            "bsrnn",
            "bsrnn_xt.spec.onnx",
            1_572_156,
            "c23c4486cd5b6675b979d17e4fc6d6a626c1252550d7dd84409368d557e7eeee",
        )

    @property
    def layout(self) -> StreamingSpectra:
        """Frames of 32 ms every 16 ms."""
        return SPECTRA
