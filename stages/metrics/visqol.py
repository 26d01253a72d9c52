"""ViSQOL: how alike two spectrograms look to an ear, patch by patch, as an opinion score."""

import importlib.util
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import PrivateAttr

from schemas import MissingWeightsError, Reason, UnfitError
from stages.audio.pauses import speech_stretches
from stages.audio.waveform import Samples
from stages.operators.metric import METRICS, Aspect, Better, Comparison, Measured, Output
from stages.operators.metric_bases import FullReferenceMetric

VISQOL_PACKAGE = "visqol-python is not installed: pip install 'unanimous[visqol]'"
_RATES_HZ = {"speech": 16_000, "audio": 48_000}
_LONGEST_S = 15
"""The authors advise 5 to 10 s; the work on longer recordings grows faster than they do."""


@METRICS.register
class Visqol(FullReferenceMetric):
    """ViSQOL v3 (Chinen, Lim, Skoglund, Gureev, O'Gorman and Hines, QoMEX 2020), opinion scores from 1 to 5.

    By the package visqol-python. Neurogram similarity of gammatone spectrograms, of speech up to 8 kHz or of
    all that 48 kHz hold. Speech is mapped to opinions by the exponential fit, not by the lattice that newer
    releases of the C++ code prefer: of that, white noise at 20 dB has less than noise at 0 dB. Audio is
    mapped by the support vector regression of the package. Recordings over 15 s are cut into equal parts,
    whose mean is the score; parts in which nobody speaks have none.
    """

    kind: ClassVar[str] = "visqol"
    licence: ClassVar[str] = "Apache-2.0"
    packages: ClassVar[tuple[str, ...]] = ("visqol-python",)
    weights: ClassVar[str] = "inside the package visqol-python"
    removes_dc: ClassVar[bool] = True
    level_dependent: ClassVar[bool] = True
    shortest_s: ClassVar[float] = 1.1
    cost_s_per_s: ClassVar[float] = 0.25
    outputs: ClassVar = {
        "": Output(
            aspect=Aspect.SIGNAL_FIDELITY,
            better=Better.HIGHER,
            low=1.0,
            high=5.0,
            noise_floor=0.05,
            votes=False,
            note="hears the full band of 48 kHz in mode audio, where its noise floor is 0.08",
        )
    }

    mode: Literal["speech", "audio"] = "speech"
    """What it was made for: speech at 16 kHz, or anything at 48 kHz, the full band."""

    _ears: Any = PrivateAttr(default=None)

    @property
    def sample_rate(self) -> int:
        """16 kHz for speech, 48 kHz for audio."""
        return _RATES_HZ[self.mode]

    @property
    def hears_full_band(self) -> bool:
        """In mode audio."""
        return self.mode == "audio"

    def load(self, device: str) -> None:  # noqa: ARG002 - runs on the CPU only
        """Open the model; raises ``MissingWeightsError`` without the package."""
        if importlib.util.find_spec("visqol") is None:
            raise MissingWeightsError(VISQOL_PACKAGE)
        from visqol import VisqolApi  # noqa: PLC0415 - optional

        self._ears = VisqolApi()
        self._ears.create(mode=self.mode, use_lattice_model=False)

    def measure(self, comparison: Comparison) -> Measured:
        """Return the mean over the parts in which somebody speaks; raises ``UnfitError`` if nobody does."""
        clean, candidate = comparison.clean.samples, comparison.candidate.samples
        spoken = np.zeros(clean.size, dtype=bool)
        for start, end in speech_stretches(clean, self.sample_rate):
            spoken[start:end] = True
        num_parts = -(-clean.size // (_LONGEST_S * self.sample_rate))
        parts = zip(*(np.array_split(each, num_parts) for each in (clean, candidate, spoken)), strict=True)
        scores = [self._part(*sides) for *sides, is_spoken in parts if is_spoken.any()]
        if not scores:
            raise UnfitError(Reason.SILENT, "nobody speaks in the clean reference")
        return {"": float(np.mean(scores))}

    def _part(self, clean: Samples, candidate: Samples) -> float:
        sides = clean.astype(np.float64), candidate.astype(np.float64)
        return float(self._ears.measure_from_arrays(*sides, self.sample_rate).moslqo)
