"""Published values of real recordings, by the metrics as they are published."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import resample_poly

from schemas import Outcome
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics.dnsmos import Dnsmos
from stages.metrics.nisqa import Nisqa
from stages.metrics.pesq import Pesq
from stages.metrics.plcmos import Plcmos
from stages.metrics.si_sdr import SiSdr
from stages.metrics.stoi import Stoi
from stages.operators.metric import Comparison, Metric
from stages.operators.rng import rng_for
from stages.restorers.deepfilternet3 import DeepFilterNet3
from stages.weights.files import CACHE_VARIABLE
from tests.support.shared_weights import lay_out

OURS: dict[str, tuple[Metric, str]] = {
    "pesq_wb": (Pesq(band="wb"), ""),
    "pesq_nb": (Pesq(band="nb"), ""),
    "dnsmos_sig": (Dnsmos(windows="official"), "sig"),
    "dnsmos_bak": (Dnsmos(windows="official"), "bak"),
    "dnsmos_ovr": (Dnsmos(windows="official"), "ovrl"),
    "dnsmos_p808": (Dnsmos(windows="official"), "p808"),
    "stoi": (Stoi(), ""),
    "sisdr": (SiSdr(), ""),
    "nisqa_mos": (Nisqa(), "mos"),
    "nisqa_noi": (Nisqa(), "noisiness"),
    "nisqa_dis": (Nisqa(), "discontinuity"),
    "nisqa_col": (Nisqa(), "coloration"),
    "nisqa_loud": (Nisqa(), "loudness"),
    "plcmos_v2": (Plcmos(), ""),
}


def heard_of(name: str, folder: Path) -> Waveform:
    """Return the recording ``name`` at 16 kHz, or what DeepFilterNet3 makes of it if it is ``DFN3(name)``."""
    if not name.startswith("DFN3("):
        return read(folder / name)
    samples, sample_rate = soundfile.read(folder / name[5:-1], dtype="float32")
    model = DeepFilterNet3()
    lay_out(model.published, folder.parent)
    model.load("cpu")
    (restored,) = model.restore([Waveform(samples, sample_rate)], [rng_for(0, "unused")])
    return resample(restored, 16_000)


def read(path: Path) -> Waveform:
    """Return the recording at 16 kHz."""
    samples, sample_rate = soundfile.read(path, dtype="float32")
    if sample_rate != 16_000:  # at soxr's high quality, as published: very high quality moves P.808 by 0.016
        samples = soxr.resample(samples, sample_rate, 16_000, quality="HQ")
    return Waveform(samples, 16_000)


def at_48_khz(recording: Waveform) -> Waveform:
    """Return 16 kHz speech as resampy 0.4 takes it to 48 kHz by default, which is how NISQA was published.

    A Kaiser-windowed sinc of 50 zeros on either side with a roll-off of 0.917; soxr moves a score by 0.13.
    """
    zeros, roll_off, beta = 50, 0.917347, 12.9846
    times = np.arange(-3 * zeros, 3 * zeros + 1) / 3
    filter_ = roll_off * np.sinc(roll_off * times) * np.kaiser(times.size, beta)
    samples = resample_poly(recording.samples.astype(float), 3, 1, window=filter_ / 3)
    return Waveform(samples.astype(np.float32), 48_000)


def at_10_khz(recording: Waveform) -> Waveform:
    """Return the recording as pystoi takes it to 10 kHz, like Octave: by a filter of its own."""
    from pystoi.utils import resample_oct  # noqa: PLC0415

    samples = resample_oct(recording.samples.astype(float), 10_000, recording.sample_rate)
    return Waveform(samples.astype(np.float32), 10_000)


def value_of(row: dict[str, str], folder: Path) -> float:
    """Return our score for a row of the table."""
    metric, suffix = OURS[row["metric"]]
    candidate = heard_of(row["file"], folder)
    if isinstance(metric, Nisqa):
        candidate = at_48_khz(candidate)
        metric = Nisqa(path=folder.parent / "metrics" / "nisqa" / "nisqa.tar")
    metric.load("cpu")
    clean = read(folder / row["reference"]) if row["reference"] else candidate
    if isinstance(metric, Stoi):
        candidate, clean = at_10_khz(candidate), at_10_khz(clean)
    (values,) = metric.score([Comparison(candidate, clean)])
    assert not isinstance(values, Outcome), values
    return values[suffix]


def rows_of(folder: Path) -> Sequence[dict[str, str]]:
    """Return the rows that name a metric of ours."""
    with (folder / "expected_scores.csv").open(newline="") as table:
        return [row for row in csv.DictReader(table) if row["metric"] in OURS]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", list(OURS))
def test_reproduces_published_scores(
    name: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every published value is met within the tolerance that the table states."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    folder = shared_data / "golden"
    rows = [row for row in rows_of(folder) if row["metric"] == name]

    off = {row["file"]: value_of(row, folder) - float(row["expected"]) for row in rows}

    assert rows
    tolerances = {row["file"]: float(row["tolerance"]) for row in rows}
    assert {file: error for file, error in off.items() if abs(error) > tolerances[file]} == {}
