"""Metrics the obvious way: a call of the library for each pair, resampled by librosa each time."""

# ruff: noqa: PLC0415 - each library is loaded by the rival that is asked for, not by all

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from stages.metrics.base import Comparison
from stages.waveform import Samples, Waveform

Values = Mapping[str, float]
Rival = Callable[[Comparison], Values]


def _at(waveform: Waveform, sample_rate: int) -> Samples:
    import librosa

    if waveform.sample_rate == sample_rate:
        return waveform.samples
    rates = {"orig_sr": waveform.sample_rate, "target_sr": sample_rate}
    return np.asarray(librosa.resample(waveform.samples, res_type="soxr_vhq", **rates))


def _sides(comparison: Comparison, sample_rate: int) -> tuple[Samples, Samples]:
    return _at(comparison.clean, sample_rate), _at(comparison.candidate, sample_rate)


def by_pesq(comparison: Comparison) -> Values:
    """Return wide-band PESQ by the package pesq."""
    import pesq

    return {"": pesq.pesq(16_000, *_sides(comparison, 16_000), "wb")}


def by_pystoi(comparison: Comparison) -> Values:
    """Return STOI by pystoi."""
    return {"": _pystoi(comparison, extended=False)}


def by_pystoi_extended(comparison: Comparison) -> Values:
    """Return ESTOI by pystoi."""
    return {"": _pystoi(comparison, extended=True)}


def _pystoi(comparison: Comparison, *, extended: bool) -> float:
    import pystoi

    return float(pystoi.stoi(*_sides(comparison, 10_000), 10_000, extended=extended))


def by_speechmos(comparison: Comparison) -> Values:
    """Return DNSMOS by speechmos' own function, with the windows that it hears."""
    from speechmos import dnsmos

    found = dnsmos.run(np.clip(_at(comparison.candidate, 16_000), -1.0, 1.0), 16_000)
    return {name: float(found[f"{name}_mos"]) for name in ("sig", "bak", "ovrl", "p808")}


def plcmos_by_speechmos(comparison: Comparison) -> Values:
    """Return PLCMOS by speechmos' own function."""
    from speechmos import plcmos

    return {"": float(plcmos.run(np.clip(_at(comparison.candidate, 16_000), -1.0, 1.0), 16_000)["plcmos"])}


def sdr_by_torchmetrics(comparison: Comparison) -> Values:
    """Return SDR with 512 taps by torchmetrics."""
    from torchmetrics.functional.audio import signal_distortion_ratio

    return {"": float(signal_distortion_ratio(*_tensors(comparison), zero_mean=True))}


def si_sdr_by_torchmetrics(comparison: Comparison) -> Values:
    """Return SI-SDR by torchmetrics."""
    from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio as si_sdr

    return {"": float(si_sdr(*_tensors(comparison), zero_mean=True))}


def _tensors(comparison: Comparison) -> tuple[Any, Any]:
    import torch

    sides = comparison.candidate.samples, comparison.clean.samples
    candidate, clean = (torch.from_numpy(side.copy()) for side in sides)
    return candidate, clean


def whisper_per_file(path: str) -> Rival:
    """Return a call of ``whisper.transcribe`` with the weights in ``path``, for both sides of each pair."""

    @cache
    def model() -> Any:
        import whisper

        return whisper.load_model(path, device="cpu")

    def transcribed(comparison: Comparison) -> Values:
        for side in _sides(comparison, 16_000):
            model().transcribe(side.copy(), language="en", fp16=False)
        return {}

    return transcribed


RIVALS: Mapping[str, Rival] = {
    "pesq": by_pesq,
    "stoi": by_pystoi,
    "estoi": by_pystoi_extended,
    "dnsmos": by_speechmos,
    "plcmos": plcmos_by_speechmos,
    "sdr": sdr_by_torchmetrics,
    "si_sdr": si_sdr_by_torchmetrics,
}
"""By the kind of ours."""
EQUAL: Mapping[str, Mapping[str, Any]] = {"dnsmos": {"windows": "official"}}
"""Settings under which ours gives the same numbers as the rival."""
