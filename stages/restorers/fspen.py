"""FSPEN: a full-band and a sub-band encoder, 79 thousand weights."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.restorers.fast_enhancer import SPECTRA, weights_in_history
from stages.weights.files import Weights


@RESTORERS.register
class Fspen(OnnxGraph):
    """Yang et al. (ICASSP 2024), trained on VoiceBank-DEMAND, against noise."""

    kind: ClassVar[str] = "fspen"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "history of aask1357/fastenhancer on GitHub, 0.4 MB"
    cost_s_per_s: ClassVar[float] = 0.026

    @property
    def published(self) -> Weights:
        """The streaming graph as the authors of FastEnhancer trained it."""
        return weights_in_history(
            "fspen",
            "fspen.spec.onnx",
            414_386,
            "6d78e862829999a5cef8f5c80ecc4d2abe360c424239b0ffa7ba95c71226ff9a",
        )

    @property
    def layout(self) -> StreamingSpectra:
        """Frames of 32 ms every 16 ms."""
        return SPECTRA
