"""A model of the user's own, as an ONNX file: no code needed."""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import PrivateAttr

from schemas import SampleRate
from stages.audio.waveform import Waveform
from stages.operators.restorer import CHUNK_S, RESTORERS
from stages.operators.unbatched_restorer import Strength, UnbatchedRestorer
from stages.restorers.common.onnx_layouts import Layout, Streaming, WholeWaveform
from stages.restorers.common.onnx_spectra import StreamingSpectra
from stages.restorers.common.onnx_steps import Floats32
from stages.weights.has_weights import HasWeights
from stages.weights.onnx import open_session


@RESTORERS.register
class Onnx(HasWeights, UnbatchedRestorer):
    """One graph. It is known by what is in its file, wherever that lies."""

    kind: ClassVar[str] = "onnx"
    paradigm: ClassVar[str] = "as the user's model"
    licence: ClassVar[str] = "as the user's model"
    weights: ClassVar[str] = "the file that the config names"
    libraries: ClassVar[tuple[str, ...]] = ("onnxruntime",)
    loaded_by: ClassVar[frozenset[str]] = frozenset({"model_sample_rate", "layout"})

    path: Path
    """The graph. Files beside it that hold its tensors, as newer exporters write them, are part of it."""
    model_sample_rate: SampleRate | None = None
    """The rate that the graph was trained at in Hz; None if any rate will do."""
    layout: Layout = WholeWaveform()
    strength: Strength = 1.0
    """Under 1 the layout's delay must be right: input and restoration are added up."""

    _session: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int | None:
        """The graph's rate in Hz."""
        return self.model_sample_rate

    @property
    def chunk_s(self) -> float | None:
        """None for a graph that goes from step to step."""
        return None if isinstance(self.layout, Streaming | StreamingSpectra) else CHUNK_S

    def load(self, device: str) -> None:
        """Open the graph.

        Raises ``MissingWeightsError`` if the file is not there or another than pinned, and
        ``ConfigError`` if the graph does not take what the layout gives.
        """
        session = open_session(self.require_place(), device)
        self.layout.check(session)
        self._session = session

    def restore_one(self, waveform: Waveform) -> Floats32:
        """Return what the graph makes of the input."""
        return self.layout.run(self._session, waveform.samples)
