"""How a waveform goes through an ONNX graph: whole, in frames with a memory, or as spectra with one."""

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from schemas import ConfigError, Record
from stages.restorers.onnx_steps import Delay, Floats, GraphMemory, Stepwise, check_step, ports

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
                f"layout waveform needs a graph of one waveform of any length; this takes {ports(session)}"
            )

    def run(self, session: Any, samples: Floats) -> Floats:
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

    def run(self, session: Any, samples: Floats) -> Floats:
        """Return as many samples as came in, without the delay."""
        memory = GraphMemory(session)
        hops = [memory.step(frame) for frame in self.frames(samples, self.delay_samples)]
        return np.concatenate(hops)[self.delay_samples : self.delay_samples + samples.size]


class StreamingSpectra(Stepwise):
    """Spectra in, spectra out, real and imaginary parts last; frames are windowed and added up here."""

    kind: Literal["stft_streaming"] = "stft_streaming"
    window: Literal["hann", "sqrt_hann"]
    """The window before the transform and after its inverse; their overlap is divided away."""

    def check(self, session: Any) -> None:
        """Raise ``ConfigError`` for a graph of other spectra, or whose memory does not fit."""
        values = 2 * (self.frame_samples // 2 + 1)
        check_step(session, values, values)

    def run(self, session: Any, samples: Floats) -> Floats:
        """Return as many samples as came in, without the delay."""
        memory, window = GraphMemory(session), self._window()
        before = self.frame_samples - self.hop_samples
        frames = list(self.frames(samples, before + self.delay_samples))
        mixed, weight = np.zeros((2, len(frames) * self.hop_samples + before))
        for place, frame in enumerate(frames):
            span = slice(place * self.hop_samples, place * self.hop_samples + self.frame_samples)
            parts = np.fft.rfft(frame * window).astype(np.complex64).view(np.float32)
            restored = memory.step(parts).reshape(-1, 2)
            mixed[span] += window * np.fft.irfft(restored[:, 0] + 1j * restored[:, 1], self.frame_samples)
            weight[span] += window**2
        start = before + self.delay_samples
        inner = slice(start, start + samples.size)
        return (mixed[inner] / weight[inner]).astype(np.float32)

    def _window(self) -> NDArray[np.float64]:
        rise = np.sin(np.pi * np.arange(self.frame_samples) / self.frame_samples)
        return np.asarray(rise if self.window == "sqrt_hann" else rise**2)


Layout = Annotated[WholeWaveform | Streaming | StreamingSpectra, Field(discriminator="kind")]
