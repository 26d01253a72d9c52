"""What STOI and ESTOI share: pystoi at 10 kHz, its random draws named, and what it would make up refused."""

import warnings
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import Reason, UnfitError
from stages.global_generators import drawn_from
from stages.metrics.base import Aspect, Better, Comparison, Measured, Output
from stages.metrics.one_by_one import OneByOne
from stages.rng import rng_for

SAMPLE_RATE = 10_000
SHORTEST_S = 0.41
"""30 frames of 25.6 ms, half overlapped, and the frame that pystoi leaves out at the end."""


class Intelligibility(OneByOne):
    """Whether the words can be understood, from short-time envelopes in third-octave bands."""

    licence: ClassVar[str] = "MIT"
    packages: ClassVar[tuple[str, ...]] = ("pystoi",)
    removes_dc: ClassVar[bool] = True
    shortest_s: ClassVar[float] = SHORTEST_S
    extended: ClassVar[bool]
    """Whether envelopes are normalised across bands too, as ESTOI does."""

    _stoi: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """10 kHz, the rate of the definition, so that pystoi does not resample once more."""
        return SAMPLE_RATE

    def load(self, device: str) -> None:  # noqa: ARG002 - runs on the CPU only
        """Bring in pystoi."""
        from pystoi import stoi  # noqa: PLC0415

        self._stoi = stoi

    def measure(self, comparison: Comparison) -> Measured:
        """Return the intelligibility; raises ``UnfitError`` if fewer than 30 frames hold speech."""
        clean = comparison.clean.samples.astype(np.float64)
        candidate = comparison.candidate.samples.astype(np.float64)
        with drawn_from(rng_for(0, self.kind)), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            value = float(self._stoi(clean, candidate, SAMPLE_RATE, extended=self.extended))
        if any("Not enough STFT frames" in str(warning.message) for warning in said):
            raise UnfitError(Reason.TOO_SHORT, "fewer than 30 frames of speech in the clean reference")
        return {"": value}


def intelligibility_output(*, votes: bool, note: str) -> Output:
    """Return what both of them give: a mean correlation."""
    return Output(
        aspect=Aspect.CONTENT_CONSISTENCY,
        better=Better.HIGHER,
        low=-1.0,
        high=1.0,
        noise_floor=0.005,
        votes=votes,
        note=note,
    )
