"""The script for a machine with a GPU, as far as a CPU shows it: rows, reasons, and what is not there."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.benchmarks import gpu
from tests.benchmarks.gpu_rows import PANEL_ROW, GpuRow
from tests.support.gpu_samples import MEBIBYTE, GpuSamples
from tests.support.neural_subjects import OF_PEAK

TINY = ("--device", "cpu", "--minutes", "3", "--seconds", "4")


def test_a_tiny_budget_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that fails is one row, one without weights says how to fetch them, the others have figures."""
    monkeypatch.setenv("UNANIMOUS_WEIGHTS", str(tmp_path))

    gpu.main([*TINY, "--together", "--json", "--only", "nsnet2:model_sample_rate=1", "plcmos", "gtcrn"])

    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert list(rows) == ["nsnet2:model_sample_rate=1", "gtcrn", "plcmos", PANEL_ROW]
    failed, missing, heard, panel = rows.values()
    assert failed["state"] == "failed"
    assert "model_sample_rate" in failed["detail"]
    assert heard["times_real_time"] > 0.0
    assert heard["differences"][""] <= 1e-3
    assert heard["busy"] is None
    assert missing["state"] == "no weights here"
    assert "python -m pipeline weights fetch gtcrn" in missing["detail"]
    assert panel["times_real_time"] > 0.0
    assert "2 takes: made decoded 2," in panel["detail"]


def test_the_table_says_what_was_not_measured() -> None:
    """Each row has its line; the panel has the goal beside its figure."""
    measured = {"times_real_time": 250.0, "heard_s": 10.0, "took_s": 0.04, "process_bytes": 2**20}
    rows = [
        GpuRow(model="gtcrn", differences={OF_PEAK: 1e-4}, compared=6, **measured),
        GpuRow(model="nisqa", differences={"mos": 2e-4, "loudness": 0.0}, busy=0.5, **measured),
        GpuRow(model="dac", state="no weights here", detail="fetch them"),
        GpuRow(model=PANEL_ROW, **measured),
    ]

    _, restorer, metric, missing, panel = (" ".join(line.split()) for line in gpu.table(rows))

    assert restorer.startswith("gtcrn 250 not measured -80 dB 1 0 10 s of audio in 0.0 s; 6 takes")
    assert metric.startswith("nisqa 250 50% 2.0e-04 mos")
    assert missing == "dac no weights here: fetch them"
    assert "goal 200 × real time" in panel


def test_speech_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Before anything is begun."""
    with pytest.raises(SystemExit, match="holds no FLAC or WAV"):
        gpu.main([*TINY, "--speech", str(tmp_path)])


def test_says_that_there_is_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is begun."""
    import torch  # noqa: PLC0415

    if torch.cuda.is_available():
        pytest.skip("there is one")

    with pytest.raises(SystemExit, match="cuda was asked for, but this torch sees no GPU: --device cpu"):
        gpu.main(["--device", "cuda"])

    assert not capsys.readouterr().out


def test_knows_every_neural_model() -> None:
    """Metrics and restorers with weights of their own, and no model that only a config can name."""
    models = gpu.neural_models()

    assert {"dnsmos", "plcmos", "distill_mos", "gtcrn", "nsnet2:model_sample_rate=48000"} <= set(models)
    assert not {"pesq", "onnx", "python", "identity"} & set(models)


def test_samples_what_nvidia_smi_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares and memory are read line by line; a GPU that does not tell has no figure."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '50, 1000'\necho '[N/A], [N/A]'\necho '100, 1200'\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    began_s = time.perf_counter()

    with GpuSamples("cuda:0") as samples:
        while samples.peak_bytes() == 0 and time.perf_counter() < began_s + 30.0:
            time.sleep(0.01)

        assert samples.busy_share(began_s, time.perf_counter()) == pytest.approx(0.75)
        assert samples.busy_share(0.0, 0.0) is None
        assert samples.peak_bytes() == 200 * MEBIBYTE
    with GpuSamples("cpu") as nobody:
        assert nobody.busy_share(began_s, time.perf_counter()) is None
