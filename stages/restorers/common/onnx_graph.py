"""Published networks in one ONNX graph: what such a file says is where the graph is and how it is fed."""

from abc import abstractmethod
from typing import Any, ClassVar

from pydantic import PrivateAttr

from stages.audio.waveform import Waveform
from stages.operators.unbatched_restorer import UnbatchedRestorer
from stages.restorers.common.onnx_layouts import Layout
from stages.restorers.common.onnx_steps import Floats32
from stages.weights.has_weights import HasWeights
from stages.weights.onnx import open_session


class OnnxGraph(HasWeights, UnbatchedRestorer):
    """One graph at 16 kHz, from the cache unless ``path`` names a copy."""

    paradigm: ClassVar[str] = "predictive"
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    _session: Any = PrivateAttr(default=None)

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """How the graph is fed."""

    @property
    def sample_rate(self) -> int:
        """16 kHz."""
        return 16_000

    @property
    def chunk_s(self) -> None:
        """None: the graphs go from frame to frame."""

    def load(self, device: str) -> None:
        """Open the graph.

        Raises ``MissingWeightsError`` if the file is not there or another than pinned, and
        ``ConfigError`` if ``path`` names a graph that does not take what the layout gives.
        """
        session = open_session(self.require_place(), device)
        self.layout.check(session)
        self._session = session

    def restore_one(self, waveform: Waveform) -> Floats32:
        """Return what the graph makes of the input, of the same length."""
        return self.layout.run(self._session, waveform.samples)
