"""What validation says of a network: how its restorations are heard, not only how far off it is."""

from statistics import fmean

from torch import Tensor

from pipeline.training.lesson import Batch
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
            "estoi": fmean(map(_intelligibility, self._clean, map(_at_10_khz, heard))),
        }


def format_scores(scores: dict[str, float]) -> str:
    """Return scores as text."""
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())


def _intelligibility(clean: Samples, restored: Samples) -> float:
    return mean_correlation(clean, restored, spectral_correlation)


def _at_10_khz(samples: Samples) -> Samples:
    return resample(Waveform(samples, GENERATIVE_SAMPLE_RATE), STOI_SAMPLE_RATE).samples
