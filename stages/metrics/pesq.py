"""PESQ: how far a listener would hear the candidate from the clean reference."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import PrivateAttr, model_validator

from schemas import Reason, UnfitError
from stages.audio.level import is_silent
from stages.audio.waveform import Samples
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

_LONGEST_S = 30
"""The reference code holds 50 utterances and writes beyond its arrays when there are more."""


@METRICS.register
class Pesq(FullReferenceMetric):
    """ITU-T P.862.2 (wide band) or P.862.1 (narrow band), by the reference code.

    The recommendation knows signals up to 30 s. Longer ones are cut into the fewest equal parts of at most
    30 s, and the score is the mean over the parts in which the reference code finds speech.
    """

    kind: ClassVar[str] = "pesq"
    licence: ClassVar[str] = "MIT AND LicenseRef-ITU-T-P.862"
    packages: ClassVar[tuple[str, ...]] = ("pesq",)
    isolated: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True
    cost_s_per_s: ClassVar[float] = 0.012
    libraries: ClassVar[tuple[str, ...]] = ("pesq",)
    shortest_s: ClassVar[float] = 0.25
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.SIGNAL_FIDELITY,
            better=Better.HIGHER,
            low=1.0,
            high=4.65,
            noise_floor=0.05,
            note="in wide band its mean fell at every step of every ladder of damage",
        )
    }

    band: Literal["wb", "nb"] = "wb"
    rate_hz: Literal[8_000, 16_000] = 16_000
    """What the reference code is given. Narrow band is defined at both, and published mostly at 16 kHz."""

    _code: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz, or 8 kHz if told so."""
        return self.rate_hz

    @model_validator(mode="after")
    def _wide_band_needs_16_khz(self) -> Self:
        if self.band == "wb" and self.rate_hz != 16_000:  # noqa: PLR2004
            raise ValueError(f"wide band is defined at 16000 Hz: with rate_hz={self.rate_hz}, say band: nb")
        return self

    def load(self, device: str) -> None:  # noqa: ARG002 - runs on the CPU only
        """Bring in the compiled reference code."""
        import pesq  # noqa: PLC0415

        self._code = pesq

    def measure(self, comparison: Comparison) -> Measured:
        """Return the mean over the parts that hold speech; raises ``UnfitError`` if none does."""
        parts = -(-comparison.clean.samples.size // (_LONGEST_S * self.rate_hz))
        pairs = zip(
            np.array_split(comparison.clean.samples, parts),
            np.array_split(comparison.candidate.samples, parts),
            strict=True,
        )
        scores = [score for clean, candidate in pairs if (score := self._part(clean, candidate)) is not None]
        if not scores:
            raise UnfitError(Reason.SILENT, "no utterance found in the clean reference")
        return {"": float(np.mean(scores))}

    def _part(self, clean: Samples, candidate: Samples) -> float | None:
        if is_silent(clean):
            return None
        if is_silent(candidate):
            raise UnfitError(Reason.SILENT, "the candidate is silent where the clean reference is not")
        try:
            return float(self._code.pesq(self.rate_hz, clean, candidate, self.band))
        except self._code.NoUtterancesError:
            return None
