"""What validation says of a network: how its restorations are heard, not only how far off it is."""

import math
from collections.abc import Sequence
from contextlib import suppress
from statistics import fmean

from torch import Tensor

from pipeline.training.lesson import Batch
from schemas import UnfitError
from stages.audio.resampling import resample
from stages.audio.waveform import Samples, Waveform
from stages.metrics.common.envelopes import STOI_SAMPLE_RATE, mean_correlation, spectral_correlation
from stages.metrics.dnsmos import Dnsmos
from stages.networks.generative.spectra import GENERATIVE_SAMPLE_RATE


class Judges:
    """Opinion and intelligibility of restorations of one batch."""

    def __init__(self, watched: Batch, judged: int) -> None:
        """Judge the first ``judged`` of a batch."""
        self._clean = [_at_10_khz(samples) for samples in watched.clean[:judged].cpu().numpy()]
        self._dnsmos = Dnsmos()
        self._dnsmos.load("cpu")

    def judge(self, restored: Tensor) -> dict[str, float]:
        """Return mean scores of waveforms (batch, samples)."""
        heard: list[Samples] = list(restored[: len(self._clean)].cpu().numpy())
        return {
            "ovrl": fmean(self._dnsmos.hear(samples)["ovrl"] for samples in heard),
            "estoi": self._mean_intelligibility(heard),
        }

    def _mean_intelligibility(self, heard: Sequence[Samples]) -> float:
        """Return the mean over those whose clean side holds enough speech; NaN if none does."""
        found = []
        for clean, restored in zip(self._clean, heard, strict=True):
            with suppress(UnfitError):
                found.append(mean_correlation(clean, _at_10_khz(restored), spectral_correlation))
        return fmean(found) if found else math.nan


def format_scores(scores: dict[str, float]) -> str:
    """Return scores as text."""
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())


def _at_10_khz(samples: Samples) -> Samples:
    return resample(Waveform(samples, GENERATIVE_SAMPLE_RATE), STOI_SAMPLE_RATE).samples
