"""How a waveform goes through an ONNX graph: whole or in steps with a memory, as samples or as spectra."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from schemas import ConfigError, Record
from stages.restorers.common.onnx_spectra import StreamingSpectra, WholeSpectra
from stages.restorers.common.onnx_steps import (
    Delay,
    Floats32,
    GraphMemory,
    Stepwise,
    check_step,
    describe_ports,
)

WIDEST_RANK = 3


class WholeWaveform(Record):
    """One call for the whole recording: ``(T,)``, ``(1, T)`` or ``(1, 1, T)``, as the graph says."""

    kind: Literal["waveform"] = "waveform"
    delay_samples: Delay = 0

    def check(self, session: Any) -> None:
        """Raise ``ConfigError`` for a graph with further inputs, or with room for one length only."""
        port, *others = session.get_inputs()
        if others or not 1 <= len(port.shape) <= WIDEST_RANK or isinstance(port.shape[-1], int):
            raise ConfigError(
                "layout waveform needs a graph of one waveform of any length; "
                f"this takes {describe_ports(session)}"
            )

    def run(self, session: Any, samples: Floats32) -> Floats32:
        """Return what the graph makes of ``samples``, without the delay."""
        port = session.get_inputs()[0]
        padded = np.pad(samples, (0, self.delay_samples))
        shaped = padded.reshape((1,) * (len(port.shape) - 1) + (-1,))
        return np.asarray(session.run(None, {port.name: shaped})[0]).reshape(-1)[self.delay_samples :]


class Streaming(Stepwise):
    """Frames of samples in, hops of samples out."""

    kind: Literal["streaming"] = "streaming"

    def check(self, session: Any) -> None:
        """Raise ``ConfigError`` for a graph of other frames or hops, or whose memory does not fit."""
        check_step(session, self.frame_samples, self.hop_samples)

    def run(self, session: Any, samples: Floats32) -> Floats32:
        """Return as many samples as came in, without the delay."""
        memory = GraphMemory(session)
        hops = [memory.step(frame) for frame in self.frames(samples, self.delay_samples)]
        return np.concatenate(hops)[self.delay_samples : self.delay_samples + samples.size]


Layout = Annotated[WholeWaveform | Streaming | WholeSpectra | StreamingSpectra, Field(discriminator="kind")]
