"""Graphs that take spectra: windowed frames, one by one with a memory, or those of a whole recording."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from schemas import ConfigError
from stages.restorers.common.onnx_steps import Floats32, GraphMemory, Stepwise, check_step, describe_ports

_Spectrum = NDArray[np.complex64]
Axis = Literal["batch", "bin", "frame", "part"]
STACKED: tuple[Axis, ...] = ("frame", "bin", "part")
"""The axes of spectra one after another."""


class Windowed(Stepwise):
    """Frames are windowed and added up here."""

    window: Literal["hann", "sqrt_hann"]
    """The window before the transform and after its inverse; their overlap is divided away."""

    @model_validator(mode="after")
    def _frames_overlap(self) -> Self:
        if self.hop_samples == self.frame_samples:
            raise ValueError("windowed frames have to overlap: hop_samples is to be less than frame_samples")
        return self

    @property
    def bins(self) -> int:
        """How many frequencies a spectrum has."""
        return self.frame_samples // 2 + 1

    def spectra(self, samples: Floats32) -> Iterator[_Spectrum]:
        """Yield the spectrum of each frame until the end of ``samples`` has come out."""
        window = self._window()
        for frame in self.frames(samples, self._before + self.delay_samples):
            yield np.fft.rfft(frame * window).astype(np.complex64)

    def waveform(self, spectra: Iterable[_Spectrum], length: int) -> Floats32:
        """Return ``length`` samples from the spectra that a graph gave back, without the delay."""
        window = self._window()
        hops = -(-(length + self._before + self.delay_samples) // self.hop_samples)
        mixed, weight = np.zeros((2, hops * self.hop_samples + self._before))
        for place, spectrum in enumerate(spectra):
            span = slice(place * self.hop_samples, place * self.hop_samples + self.frame_samples)
            mixed[span] += window * np.fft.irfft(spectrum, self.frame_samples)
            weight[span] += window**2
        start = self._before + self.delay_samples
        inner = slice(start, start + length)
        return (mixed[inner] / weight[inner]).astype(np.float32)

    @property
    def _before(self) -> int:
        return self.frame_samples - self.hop_samples

    def _window(self) -> NDArray[np.float64]:
        rise = np.sin(np.pi * np.arange(self.frame_samples) / self.frame_samples)
        return np.asarray(rise if self.window == "sqrt_hann" else rise**2)


class StreamingSpectra(Windowed):
    """Spectra in, spectra out, real and imaginary parts last."""

    kind: Literal["stft_streaming"] = "stft_streaming"

    def check(self, session: Any) -> None:
        """Raise ``ConfigError`` for a graph of other spectra, or whose memory does not fit."""
        check_step(session, 2 * self.bins, 2 * self.bins)

    def run(self, session: Any, samples: Floats32) -> Floats32:
        """Return as many samples as came in, without the delay."""
        memory = GraphMemory(session)
        restored = (memory.step(spectrum.view(np.float32)) for spectrum in self.spectra(samples))
        return self.waveform((parts.view(np.complex64) for parts in restored), samples.size)


class WholeSpectra(Windowed):
    """One call for the spectra of the whole recording, real and imaginary parts in an axis of their own."""

    kind: Literal["stft"] = "stft"
    axes: tuple[Axis, ...] = ("batch", "bin", "frame", "part")
    """What the axes of the graph's input and output are; there is one recording in a batch."""

    @model_validator(mode="after")
    def _names_each_axis_once(self) -> Self:
        named = sorted(axis for axis in self.axes if axis != "batch")
        if named != ["bin", "frame", "part"] or self.axes.count("batch") > 1:
            raise ValueError(f"axes are bin, frame and part, and batch where there is one; not {self.axes}")
        return self

    def check(self, session: Any) -> None:
        """Raise ``ConfigError`` for a graph of other axes, of further inputs, or for one length only."""
        port, *others = session.get_inputs()
        wanted = {"batch": 1, "bin": self.bins, "part": 2}
        fits = len(port.shape) == len(self.axes) and all(
            size == wanted.get(axis) if isinstance(size, int) else axis != "part"
            for axis, size in zip(self.axes, port.shape, strict=True)
        )
        if others or not fits:
            axes = ", ".join(self.axes)
            raise ConfigError(
                f"layout stft needs a graph of axes {axes}, {self.bins} bins and 2 parts, for any number of "
                f"frames; this takes {describe_ports(session)}"
            )

    def run(self, session: Any, samples: Floats32) -> Floats32:
        """Return as many samples as came in, without the delay."""
        order = [STACKED.index(axis) for axis in self.axes if axis != "batch"]
        stacked = np.stack([spectrum.view(np.float32) for spectrum in self.spectra(samples)])
        given = stacked.reshape(-1, self.bins, 2).transpose(order)
        batch = [self.axes.index("batch")] if "batch" in self.axes else []
        shaped = np.ascontiguousarray(np.expand_dims(given, batch))
        restored = np.asarray(session.run(None, {session.get_inputs()[0].name: shaped})[0])
        back = np.ascontiguousarray(restored.reshape(given.shape).transpose(np.argsort(order)))
        return self.waveform(back.view(np.complex64)[..., 0], samples.size)
