"""Audio in memory, and where recordings are read from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas import AudioRef, OperatorSpec

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Waveform:
    """Mono float32 samples and the rate they were taken at; nobody can write to them."""

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.dtype != np.float32 or self.samples.ndim != 1:
            raise ValueError(f"expected mono float32, got {self.samples.dtype} {self.samples.shape}")
        read_only = self.samples.view()
        read_only.flags.writeable = False
        object.__setattr__(self, "samples", read_only)

    def with_samples(self, samples: NDArray[np.floating[Any]]) -> "Waveform":
        """Return new samples at this rate."""
        return Waveform(np.ascontiguousarray(samples, dtype=np.float32), self.sample_rate)

    def scale(self, gain: float) -> "Waveform":
        """Return the samples times ``gain``."""
        return self.with_samples(self.samples * np.float32(gain))

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples.size / self.sample_rate


@dataclass(frozen=True, slots=True)
class ConfidentWaveform(Waveform):
    """What a model made, and how sure it is of it: any number of which more is surer."""

    confidence: float


class AudioSource(Protocol):
    """The pools of a run, recordings addressed by reference, and its restorers, addressed by their specs."""

    def read(self, ref: AudioRef, sample_rate: int) -> Waveform:
        """Return the recording that ``ref`` names, resampled to ``sample_rate`` (soxr VHQ)."""
        ...

    def facts(self, ref: AudioRef) -> Mapping[str, float]:
        """Return what is known of the recording, such as ``direct_path_sample`` of a response."""
        ...

    def apply_restorer(self, spec: OperatorSpec, speech: Waveform, seed: int) -> Waveform:
        """Return ``speech`` as the restorer gives it back, where and as loud as it was."""
        ...
