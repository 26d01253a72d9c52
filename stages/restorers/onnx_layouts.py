"""How a waveform goes through an ONNX graph: whole, in frames with a memory, or as spectra with one."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from schemas import ConfigError, Record

Floats = NDArray[np.float32]
Positive = Annotated[int, Field(gt=0)]
Delay = Annotated[int, Field(ge=0)]
"""How much later than its input a sample comes out."""
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
                f"layout waveform needs a graph of one waveform of any length; this takes {_ports(session)}"
            )

    def run(self, session: Any, samples: Floats) -> Floats:
        """Return what the graph makes of ``samples``, without the delay."""
        port = session.get_inputs()[0]
        padded = np.pad(samples, (0, self.delay_samples))
        shaped = padded.reshape((1,) * (len(port.shape) - 1) + (-1,))
        return np.asarray(session.run(None, {port.name: shaped})[0]).reshape(-1)[self.delay_samples :]


class _Stepwise(Record):
    """A graph that is fed step by step: its first input and output are audio, the others its memory.

    Before the first step there is silence, so that it ends with the first hop of the recording.
    """

    frame_samples: Positive
    """What the graph is shown at each step."""
    hop_samples: Positive
    """By how much a step moves on."""
    delay_samples: Delay = 0

    @model_validator(mode="after")
    def _steps_leave_no_gaps(self) -> Self:
        if self.hop_samples > self.frame_samples:
            raise ValueError(f"a hop of {self.hop_samples} skips samples of a frame of {self.frame_samples}")
        return self

    def _frames(self, samples: Floats, delay: int) -> Iterator[Floats]:
        """Yield frames until the end of ``samples`` has come out, ``delay`` later."""
        length = -(-(samples.size + delay) // self.hop_samples) * self.hop_samples
        padded = np.pad(samples, (self.frame_samples - self.hop_samples, length - samples.size))
        yield from np.lib.stride_tricks.sliding_window_view(padded, self.frame_samples)[:: self.hop_samples]


class Streaming(_Stepwise):
    """Frames of samples in, hops of samples out."""

    kind: Literal["streaming"] = "streaming"

    def check(self, session: Any) -> None:
        """Raise ``ConfigError`` for a graph of other frames or hops, or whose memory does not fit."""
        _check_step(session, self.frame_samples, self.hop_samples)

    def run(self, session: Any, samples: Floats) -> Floats:
        """Return as many samples as came in, without the delay."""
        memory = _Memory(session)
        hops = [memory.step(frame) for frame in self._frames(samples, self.delay_samples)]
        return np.concatenate(hops)[self.delay_samples : self.delay_samples + samples.size]


class StreamingSpectra(_Stepwise):
    """Spectra in, spectra out, real and imaginary parts last; frames are windowed and added up here."""

    kind: Literal["stft_streaming"] = "stft_streaming"
    window: Literal["hann", "sqrt_hann"]
    """The window before the transform and after its inverse; their overlap is divided away."""

    def check(self, session: Any) -> None:
        """Raise ``ConfigError`` for a graph of other spectra, or whose memory does not fit."""
        values = 2 * (self.frame_samples // 2 + 1)
        _check_step(session, values, values)

    def run(self, session: Any, samples: Floats) -> Floats:
        """Return as many samples as came in, without the delay."""
        memory, window = _Memory(session), self._window()
        before = self.frame_samples - self.hop_samples
        frames = list(self._frames(samples, before + self.delay_samples))
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


class _Memory:
    """What a graph carries from step to step: nothing at first, then what it gave last."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._audio, *self._kept = session.get_inputs()
        self._values = [np.zeros(port.shape, dtype=np.float32) for port in self._kept]

    def step(self, audio: Floats) -> Floats:
        """Return what the graph makes of one step of audio, as one row."""
        names = [port.name for port in self._kept]
        feed = {self._audio.name: audio.reshape(self._audio.shape)}
        restored, *self._values = self._session.run(None, feed | dict(zip(names, self._values, strict=True)))
        return np.asarray(restored).reshape(-1)


def _check_step(session: Any, taken: int, given: int) -> None:
    """Raise ``ConfigError`` unless a step takes and gives so many values and its memory fits."""
    inputs, outputs = [
        [port.shape for port in side] for side in (session.get_inputs(), session.get_outputs())
    ]
    fixed = all(isinstance(size, int) for shape in inputs + outputs for size in shape)
    if not fixed or inputs[1:] != outputs[1:]:
        raise ConfigError(
            f"outputs after the first are fed back in order, in one fixed shape; this takes {_ports(session)}"
        )
    if (math.prod(inputs[0]), math.prod(outputs[0])) != (taken, given):
        raise ConfigError(f"a step should take {taken} values and give {given}; this takes {_ports(session)}")


def _ports(session: Any) -> str:
    taken, given = (
        ", ".join(f"{port.name} {port.shape}" for port in side)
        for side in (session.get_inputs(), session.get_outputs())
    )
    return f"{taken} and gives {given}"
