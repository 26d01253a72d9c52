"""ESTOI: whether the words can be understood."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from pydantic import PrivateAttr

from schemas import Reason, UnfitError
from stages.metrics.base import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.metrics.one_by_one import OneByOne
from stages.rng import rng_for

SAMPLE_RATE = 10_000
SHORTEST_S = 0.41
"""30 frames of 25.6 ms, half overlapped, and the frame that pystoi leaves out at the end."""


@METRICS.register
class Estoi(OneByOne):
    """Extended short-time objective intelligibility (Jensen and Taal, TASLP 2016), by pystoi."""

    kind: ClassVar[str] = "estoi"
    licence: ClassVar[str] = "MIT"
    removes_dc: ClassVar[bool] = True
    shortest_s: ClassVar[float] = SHORTEST_S
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.CONTENT_CONSISTENCY,
            better=Better.HIGHER,
            low=-1.0,
            high=1.0,
            noise_floor=0.005,
            note="intelligibility proxy: predicts whether words can be understood, does not compare words",
        )
    }

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
        with _global_draws("estoi"), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            value = float(self._stoi(clean, candidate, SAMPLE_RATE, extended=True))
        if any("Not enough STFT frames" in str(warning.message) for warning in said):
            raise UnfitError(Reason.TOO_SHORT, "fewer than 30 frames of speech in the clean reference")
        return {"": value}


@contextmanager
def _global_draws(name: str) -> Iterator[None]:
    """Let numpy's global generator, which pystoi draws from, follow a named stream, then as before."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(rng_for(0, name).integers(2**32))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
