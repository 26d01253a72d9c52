"""Voice activity: whether anybody speaks at all, asked of the Silero network before words are asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from stages.audio.waveform import Samples
from stages.weights.files import Wheel
from stages.weights.onnx import open_session
from stages.weights.wheels import make_wheel_file

VAD_SAMPLE_RATE = 16_000
VAD_WINDOW = 512
CONTEXT = 64
"""Samples of the window before that the network sees again."""
STATE_SHAPE = (2, 1, 128)
LIKELY = 0.5
LEAST_S = 0.25
"""Shorter stretches are clicks and breaths: the network's authors drop them as well."""

PAUSE_S = 2.0
"""Shorter pauses belong to what is said around them."""
PAD_S = 0.4
"""Of a pause is left before and after speech: the network hears breathy beginnings and ends late."""

SILERO_WHEEL = Wheel(
    package="silero-vad",
    version="6.2.3",
    name="silero_vad-6.2.3-py3-none-any.whl",
    sha256="7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    size_bytes=11_317_527,
)
SILERO_VAD = make_wheel_file(
    SILERO_WHEEL,
    "silero_vad/data/silero_vad.onnx",
    sha256="1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    size_bytes=2_327_524,
)
"""MIT licence."""


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """The loaded network. It carries a state from window to window, and starts anew for each recording."""

    session: Any

    @classmethod
    def load(cls, path: Path) -> Self:
        """Open the network in ``path``, on the CPU: its windows depend on one another and are small."""
        return cls(open_session(path, "cpu"))

    def speaks(self, samples: Samples) -> bool:
        """Say whether 16 kHz ``samples`` at a usual level hold a quarter of a second of speech in all."""
        speech_s = np.count_nonzero(self.probabilities(samples) > LIKELY) * VAD_WINDOW / VAD_SAMPLE_RATE
        return bool(speech_s >= LEAST_S)

    def stretches(self, samples: Samples) -> list[tuple[int, int]]:
        """Return where somebody speaks, from and to which sample, in order; nothing where nobody does.

        Pauses of less than ``PAUSE_S`` are part of a stretch, and ``PAD_S`` of longer ones at its ends.
        """
        spoken = np.flatnonzero(self.probabilities(samples) > LIKELY)
        if spoken.size * VAD_WINDOW < LEAST_S * VAD_SAMPLE_RATE:
            return []
        gaps = np.flatnonzero(np.diff(spoken) - 1 >= PAUSE_S * VAD_SAMPLE_RATE / VAD_WINDOW)
        pad = round(PAD_S * VAD_SAMPLE_RATE)
        starts = VAD_WINDOW * spoken[np.r_[0, gaps + 1]] - pad
        ends = VAD_WINDOW * (spoken[np.r_[gaps, -1]] + 1) + pad
        return list(zip(starts.clip(0).tolist(), ends.clip(max=samples.size).tolist(), strict=True))

    def probabilities(self, samples: Samples) -> Samples:
        """Return how likely there is speech in each window of 32 ms; the last one is filled with zeros."""
        padded = np.pad(samples.astype(np.float32, copy=False), (CONTEXT, -samples.size % VAD_WINDOW))
        state = np.zeros(STATE_SHAPE, np.float32)
        sample_rate = np.array(VAD_SAMPLE_RATE, np.int64)
        likely = []
        for start in range(0, padded.size - CONTEXT, VAD_WINDOW):
            window = padded[None, start : start + CONTEXT + VAD_WINDOW]
            probability, state = self.session.run(None, {"input": window, "state": state, "sr": sample_rate})
            likely.append(probability[0, 0])
        return np.array(likely, np.float32)
