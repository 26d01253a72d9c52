"""Graphs that are fed step by step: frames in, what they remember, and what a step must look like."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from schemas import ConfigError, Record

Floats32 = NDArray[np.float32]
Positive = Annotated[int, Field(gt=0)]
Delay = Annotated[int, Field(ge=0)]
"""How much later than its input a sample comes out."""


class Stepwise(Record):
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

    def frames(self, samples: Floats32, delay: int) -> Iterator[Floats32]:
        """Yield frames until the end of ``samples`` has come out, ``delay`` later."""
        yield from streaming_frames_of(samples, self.frame_samples, self.hop_samples, delay)


class GraphMemory:
    """What a graph carries from step to step: nothing at first, then what it gave last."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._audio, *self._kept = session.get_inputs()
        self._values = [np.zeros(port.shape, dtype=np.float32) for port in self._kept]

    def step(self, audio: Floats32) -> Floats32:
        """Return what the graph makes of one step of audio, as one row."""
        names = [port.name for port in self._kept]
        feed = {self._audio.name: audio.reshape(self._audio.shape)}
        restored, *self._values = self._session.run(None, feed | dict(zip(names, self._values, strict=True)))
        return np.asarray(restored).reshape(-1)


def streaming_frames_of(samples: Floats32, frame_samples: int, hop_samples: int, delay: int) -> Floats32:
    """Return frames (count, ``frame_samples``) that begin with silence and the first hop of ``samples``.

    The last one is where a sample that comes out ``delay`` samples late has come out.
    """
    length = -(-(samples.size + delay) // hop_samples) * hop_samples
    padded = np.pad(samples, (frame_samples - hop_samples, length - samples.size))
    return np.lib.stride_tricks.sliding_window_view(padded, frame_samples)[::hop_samples]


def check_step(session: Any, taken: int, given: int) -> None:
    """Raise ``ConfigError`` unless a step takes and gives so many values and its memory fits."""
    inputs, outputs = [
        [port.shape for port in side] for side in (session.get_inputs(), session.get_outputs())
    ]
    fixed = all(isinstance(size, int) for shape in inputs + outputs for size in shape)
    if not fixed or inputs[1:] != outputs[1:]:
        raise ConfigError(
            "outputs after the first are fed back in order, in one fixed shape; "
            f"this takes {describe_ports(session)}"
        )
    if (math.prod(inputs[0]), math.prod(outputs[0])) != (taken, given):
        raise ConfigError(
            f"a step should take {taken} values and give {given}; this takes {describe_ports(session)}"
        )


def describe_ports(session: Any) -> str:
    """Return what a graph takes and gives, for people."""
    taken, given = (
        ", ".join(f"{port.name} {port.shape}" for port in side)
        for side in (session.get_inputs(), session.get_outputs())
    )
    return f"{taken} and gives {given}"
