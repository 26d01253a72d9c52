"""Metrics the obvious way: a call of the library for each pair, resampled by librosa each time.

Only what would blur a figure per core is taken from them: their networks run on one thread, and none is
fetched.
"""

# ruff: noqa: PLC0415 - each library is loaded by the rival that is asked for, not by all

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stages.audio.waveform import Samples, Waveform
from stages.networks.dnsmos import find_speechmos_model
from stages.operators.metric import Comparison
from stages.weights.onnx import open_session

RATER_SEED = 23
"""Of the README of PLCMOS."""
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

    if dnsmos.dnsmos is None:
        paths = [find_speechmos_model(f"dnsmos_models/{name}.onnx") for name in ("sig_bak_ovr", "model_v8")]
        dnsmos.dnsmos = dnsmos.DNSMOS(*map(str, paths))
        dnsmos.dnsmos.onnx_sess, dnsmos.dnsmos.p808_onnx_sess = (open_session(path, "cpu") for path in paths)
    found = dnsmos.run(np.clip(_at(comparison.candidate, 16_000), -1.0, 1.0), 16_000)
    return {name: float(found[f"{name}_mos"]) for name in ("sig", "bak", "ovrl", "p808")}


def dnsmos_by_torchmetrics(comparison: Comparison) -> Values:
    """Return DNSMOS by torchmetrics, which hears the windows of speechmos."""
    from torchmetrics.functional.audio.dnsmos import deep_noise_suppression_mean_opinion_score as dnsmos

    candidate = _tensor(_at(comparison.candidate, 16_000))
    scores = dnsmos(candidate, 16_000, personalized=False, num_threads=1).tolist()
    return dict(zip(("p808", "sig", "bak", "ovrl"), scores, strict=True))


def nisqa_by_torchmetrics(comparison: Comparison) -> Values:
    """Return NISQA by torchmetrics, at the rate that ours hears."""
    from torchmetrics.functional.audio.nisqa import non_intrusive_speech_quality_assessment as nisqa

    scores = nisqa(_tensor(_at(comparison.candidate, 48_000)), 48_000).tolist()
    names = ("mos", "noisiness", "discontinuity", "coloration", "loudness")
    return dict(zip(names, scores, strict=True))


def keep_from_fetching(folder: Path, nisqa: Path | None) -> None:
    """Lay out in ``folder`` the weights that torchmetrics would fetch, and name it to the library."""
    from torchmetrics.functional.audio import dnsmos as dnsmos_module
    from torchmetrics.functional.audio import nisqa as nisqa_module

    (folder / "DNSMOS").mkdir()
    for name in ("sig_bak_ovr.onnx", "model_v8.onnx"):
        (folder / "DNSMOS" / name).symlink_to(find_speechmos_model(f"dnsmos_models/{name}"))
    if nisqa is not None:
        (folder / "nisqa.tar").symlink_to(nisqa.resolve())
    dnsmos_module.DNSMOS_DIR = nisqa_module.NISQA_DIR = str(folder)


def plcmos_by_speechmos(comparison: Comparison) -> Values:
    """Return PLCMOS by speechmos' own function, with the raters of its README."""
    from speechmos import plcmos

    if plcmos.plcmos is None:
        plcmos.plcmos = plcmos.PLCMOS()
        plcmos.plcmos.session = open_session(find_speechmos_model("plcmos_models/plcmos_v2.onnx"), "cpu")
    np.random.seed(RATER_SEED)  # noqa: NPY002 - the generator that it draws its raters from
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
    return _tensor(comparison.candidate.samples), _tensor(comparison.clean.samples)


def _tensor(samples: Samples) -> Any:
    import torch

    return torch.from_numpy(samples.copy())


def whisper_per_file(folder: Path, *, both_sides: bool) -> Rival:
    """Return calls of ``whisper.transcribe`` with the checkpoint in ``folder``, one for each recording.

    Greedy and without timestamps, as ours: its defaults would ask a random network six times for each text.
    """

    @cache
    def model() -> Any:
        import whisper

        (checkpoint,) = folder.glob("*.pt")
        return whisper.load_model(str(checkpoint), device="cpu")

    def transcribed(comparison: Comparison) -> Values:
        clean, candidate = _sides(comparison, 16_000)
        for side in (candidate, clean) if both_sides else (candidate,):
            model().transcribe(
                side.copy(),
                language="en",
                fp16=False,
                temperature=0.0,
                without_timestamps=True,
                no_speech_threshold=None,
                logprob_threshold=None,
            )
        return {}

    return transcribed


RIVALS: Mapping[str, Mapping[str, Rival]] = {
    "pesq": {"pesq": by_pesq},
    "stoi": {"pystoi": by_pystoi},
    "estoi": {"pystoi": by_pystoi_extended},
    "dnsmos": {"speechmos": by_speechmos, "torchmetrics": dnsmos_by_torchmetrics},
    "plcmos": {"speechmos": plcmos_by_speechmos},
    "nisqa": {"torchmetrics": nisqa_by_torchmetrics},
    "sdr": {"torchmetrics": sdr_by_torchmetrics},
    "si_sdr": {"torchmetrics": si_sdr_by_torchmetrics},
}
"""By the kind of ours, then by library; the first one counts in the panels."""
EQUAL: Mapping[str, Mapping[str, Any]] = {"dnsmos": {"windows": "official"}}
"""Settings under which ours gives the same numbers as the rival."""
