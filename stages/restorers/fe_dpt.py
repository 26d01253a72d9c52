"""FastEnhancer with dual-path transformer blocks, 21 thousand weights."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.restorers.fast_enhancer import SPECTRA, weights_in_history
from stages.weights.files import Weights


@RESTORERS.register
class FeDpt(OnnxGraph):
    """A variant in Ahn et al. (2025), size T, trained on VoiceBank-DEMAND, against noise."""

    kind: ClassVar[str] = "fe_dpt"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "history of aask1357/fastenhancer on GitHub, 0.1 MB"
    cost_s_per_s: ClassVar[float] = 0.015

    @property
    def published(self) -> Weights:
        """The streaming graph as the authors of FastEnhancer trained it."""
        return weights_in_history(
            "fe_dpt",
            "dpt_t.spec.onnx",
            120_643,
            "65444a1e222d32216bf4e172a86d9b1fcf60221468670991cf06898d20576ee5",
        )

    @property
    def layout(self) -> StreamingSpectra:
        """Frames of 32 ms every 16 ms."""
        return SPECTRA
