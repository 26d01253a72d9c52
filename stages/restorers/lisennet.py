"""LiSenNet: sub-bands and dual-path recurrence, 37 thousand weights."""

from typing import ClassVar

from stages.operators.restorer import RESTORERS
from stages.restorers.common.onnx_graph import OnnxGraph
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.restorers.fast_enhancer import SPECTRA, weights_in_history
from stages.weights.files import Weights


@RESTORERS.register
class LiSenNet(OnnxGraph):
    """Yan et al. (2024), trained on VoiceBank-DEMAND, against noise."""

    kind: ClassVar[str] = "lisennet"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "history of aask1357/fastenhancer on GitHub, 0.2 MB"
    cost_s_per_s: ClassVar[float] = 0.023

    @property
    def published(self) -> Weights:
        """The streaming graph as the authors of FastEnhancer trained it."""
        return weights_in_history(
            "lisennet",
            "lisennet.spec.onnx",
            212_127,
            "4ec027de360db4866680b56a098aec51608866bf276999d8e4d63dcd8c3c7f41",
        )

    @property
    def layout(self) -> StreamingSpectra:
        """Frames of 32 ms every 16 ms."""
        return SPECTRA
