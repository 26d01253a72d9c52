"""Do metrics agree with listeners? WARP-Q's set: one sentence through eight codecs, with opinion scores.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/human_opinion.py [FOLDER]

FOLDER is that of real models and recordings that tests use too. With eight codecs of one sentence an interval
says more than a correlation: Fisher's for Pearson, Bonett and Wright's (Psychometrika, 2000) for Spearman.
"""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from pipeline.text import align_columns, say
from stages.audio.cache import AudioCache
from stages.audio.lag import align, lag_samples
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics import METRICS, Metric
from stages.operators.metric import Better, Output, score_name
from stages.score.stage import ScoreStage
from tests.conftest import SHARED_DATA
from tests.support.score_inputs import score_input

NORMAL_95 = 1.96
MAX_LAG_S = 0.1
EMBEDDED = (
    "dnsmos",
    "plcmos",
    "pesq",
    "stoi",
    "estoi",
    "si_sdr",
    "sdr",
    "log_spectral_distance",
    "multi_resolution_stft",
    "mel_cepstral_distance",
    "spectral_envelope",
    "pitch",
    "phone_error",
)
"""Metrics that need no weights, or bring them in a package."""


def main(folder: Path) -> None:
    """Print both correlations of every score with the opinion scores, each with its interval."""
    rated = _rated(folder / "golden" / "warpq_mos")
    opinions = [opinion for _, opinion in rated]
    clean = _read(folder / "speech" / "fullband" / "vctk_p239_021.flac")
    coded = [_aligned(_read(path), clean) for path, _ in rated]
    rows = [("score", "n", "Pearson", "95 %", "Spearman", "95 %")]
    for metric in _metrics(folder):
        stage = ScoreStage(metric.kind, metric, AudioCache())
        stage.load("cpu")
        (row,) = stage.process([score_input(clean, *coded)])
        for suffix, output in metric.outputs.items():
            name = score_name(metric.kind, suffix)
            values = [score.value for take in row.takes for score in take.scores if score.name == name]
            rows.append((name, *_correlations(values, opinions, output)))
        say(f"{metric.kind} scored")
    for line in align_columns(rows):
        say(line)


def _metrics(folder: Path) -> list[Metric]:
    nisqa = METRICS["nisqa"].model_validate({"path": folder / "metrics" / "nisqa" / "nisqa.tar"})
    return [*(METRICS[kind]() for kind in EMBEDDED), nisqa]


def _rated(folder: Path) -> list[tuple[Path, float]]:
    """Return each coded recording and its mean opinion score; rows without one are other experiments."""
    with (folder / "audio_samples.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["MOS"]]
    return [(folder / f"{Path(row['deg_wave']).stem}.flac", float(row["MOS"])) for row in rows]


def _read(path: Path) -> Waveform:
    return Waveform(*soundfile.read(path, dtype="float32"))


def _aligned(coded: Waveform, clean: Waveform) -> Waveform:
    there = resample(coded, clean.sample_rate)
    lag = lag_samples(there.samples, clean.samples, round(MAX_LAG_S * clean.sample_rate))
    return clean.with_samples(align(there.samples, lag, clean.samples.size))


def _correlations(
    values: Sequence[float | None], opinions: Sequence[float], output: Output
) -> tuple[str, ...]:
    from scipy.stats import pearsonr, spearmanr  # noqa: PLC0415

    kept = [(value, opinion) for value, opinion in zip(values, opinions, strict=True) if value is not None]
    scores, rated = np.array(kept).T if kept else (np.array([]), np.array([]))
    if len(kept) < 4 or np.ptp(scores) == 0.0:  # intervals need four
        return str(len(kept)), "", "", "", ""
    sign = 1.0 if output.better is Better.HIGHER else -1.0
    pearson, spearman = (sign * float(by(scores, rated).statistic) for by in (pearsonr, spearmanr))
    return (
        str(len(kept)),
        f"{pearson:+.2f}",
        _interval(pearson, 1.0, len(kept)),
        f"{spearman:+.2f}",
        _interval(spearman, 1.0 + spearman**2 / 2.0, len(kept)),
    )


def _interval(correlation: float, variance: float, count: int) -> str:
    """Return the 95 % interval; ``variance`` over ``count`` − 3 is that of the correlation's inverse tanh."""
    middle = np.arctanh(np.clip(correlation, -0.9999, 0.9999))
    reach = NORMAL_95 * np.sqrt(variance / (count - 3))
    return f"{np.tanh(middle - reach):+.2f} … {np.tanh(middle + reach):+.2f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED_DATA)
