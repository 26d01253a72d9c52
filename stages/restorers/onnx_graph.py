"""Published networks in one ONNX graph: what such a file says is where the graph is and how it is fed."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from stages.distributions import Distribution, Uniform
from stages.onnx_session import open_session
from stages.restorers.base import Restorer
from stages.restorers.onnx_layouts import Layout
from stages.restorers.wet_mix import Strength, wet_mix
from stages.waveform import Waveform
from stages.weighted import Weighted


class OnnxGraph(Weighted, Restorer):
    """One graph at 16 kHz, from the cache unless ``path`` names a copy."""

    paradigm: ClassVar[str] = "predictive"
    draws: ClassVar[Mapping[str, Distribution]] = {"strength": Uniform(low=0.5, high=1.0)}

    strength: Strength = 1.0

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
        session = open_session(self.checked_place(), device)
        self.layout.check(session)
        self._session = session

    def restore(
        self,
        batch: Sequence[Waveform],
        streams: Sequence[np.random.Generator],  # noqa: ARG002
    ) -> Sequence[Waveform]:
        """Return what the graph makes of each input, of the same length."""
        return [
            wet_mix(waveform, self.layout.run(self._session, waveform.samples), self.strength)
            for waveform in batch
        ]
