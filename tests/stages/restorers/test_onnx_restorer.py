"""What a model from an ONNX file gives back, from graphs whose answer is known and from real ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pesq import pesq

from schemas import Record
from tests.support.small_graphs import (
    HOP,
    OVERLAPPING,
    SPECTRA,
    STREAMING,
    Shape,
    first_half_of_the_frame,
    halving,
    loaded,
    one_hop_late,
    restored_by,
    write_graph,
)
from tests.support.speech_like import white_noise


def _summing(folder: Path) -> Path:
    nodes = [("Add", "x memory", "y"), ("Identity", "y", "memory_out")]
    shape = (1, HOP)
    ports = [("x", shape), ("memory", shape)], [("y", shape), ("memory_out", shape)]
    return write_graph(folder / "model.onnx", nodes, ports)


def _unchanging(folder: Path, shape: Shape) -> Path:
    return write_graph(folder / "model.onnx", [("Identity", "x", "y")], ([("x", shape)], [("y", shape)]))


@pytest.mark.parametrize("shape", [("T",), (1, "T"), (1, 1, "T"), ("batch", "T")])
def test_a_whole_waveform_goes_through_in_the_graphs_shape(tmp_path: Path, shape: Shape) -> None:
    """One, two or three axes are read off the graph."""
    samples = white_noise()

    restored = restored_by(loaded(halving(tmp_path, shape)), samples)

    assert np.array_equal(restored, samples / 2)


@pytest.mark.parametrize("length", [1, HOP - 1, HOP, HOP + 1, 5_000])
def test_a_stream_with_memory_comes_back_on_time(tmp_path: Path, length: int) -> None:
    """A graph that gives back the hop before, declared as one hop late, is the identity at any length."""
    samples = white_noise(length)

    restored = restored_by(loaded(one_hop_late(tmp_path), layout=STREAMING), samples)

    assert np.array_equal(restored, samples)


@pytest.mark.parametrize("length", [1, HOP, 5_000])
def test_overlapping_frames_come_back_on_time(tmp_path: Path, length: int) -> None:
    """A graph that gives the first half of each frame is one hop late, and so the identity."""
    samples = white_noise(length)

    restored = restored_by(loaded(first_half_of_the_frame(tmp_path), layout=OVERLAPPING), samples)

    assert np.array_equal(restored, samples)


def test_memory_starts_empty_for_every_recording(tmp_path: Path) -> None:
    """A graph that adds up all hops so far adds up those of this recording only."""
    model = loaded(_summing(tmp_path), layout={**STREAMING, "delay_samples": 0})
    samples = np.ones(4 * HOP, dtype=np.float32)

    first, second = restored_by(model, samples), restored_by(model, samples)

    assert first[::HOP].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("window", ["hann", "sqrt_hann"])
@pytest.mark.parametrize("length", [1, HOP, 5_000])
@pytest.mark.parametrize("late", [False, True])
def test_spectra_come_back_as_the_waveform(tmp_path: Path, window: str, length: int, late: bool) -> None:  # noqa: FBT001
    """A graph that gives its spectra back, at once or a step later, is the identity to 24 bits."""
    shape = (1, HOP + 1, 1, 2)
    path = one_hop_late(tmp_path, shape) if late else _unchanging(tmp_path, shape)
    model = loaded(path, layout={**SPECTRA, "window": window, "delay_samples": HOP * late})
    samples = white_noise(length)

    restored = restored_by(model, samples)

    assert restored.shape == samples.shape
    assert np.abs(restored - samples).max() < 2**-23


@pytest.mark.parametrize("axes", [
    ["batch", "bin", "frame", "part"],
    ["batch", "part", "frame", "bin"],
    ["part", "bin", "frame"],
])  # fmt: skip
@pytest.mark.parametrize("length", [1, HOP, 5_000])
def test_whole_spectra_go_through_in_the_axes_that_are_declared(
    tmp_path: Path, axes: list[str], length: int
) -> None:
    """A graph that gives its spectra back is the identity, whatever the order of its axes."""
    sizes: dict[str, int | str] = {"batch": 1, "bin": HOP + 1, "frame": "T", "part": 2}
    shape = [sizes[axis] for axis in axes]
    layout = {**SPECTRA, "kind": "stft", "axes": axes}
    samples = white_noise(length)

    restored = restored_by(loaded(_unchanging(tmp_path, shape), layout=layout), samples)

    assert restored.shape == samples.shape
    assert np.abs(restored - samples).max() < 2**-22


def test_bins_and_frames_are_told_apart(tmp_path: Path) -> None:
    """A graph that empties all but the first bins of its second axis is a low-pass filter."""
    shape: Shape = (1, HOP + 1, "T", 2)
    nodes = [
        ("Slice", "x at_0 at_64 at_1", "low"),
        ("Slice", "x at_64 at_257 at_1", "high"),
        ("Mul", "high nothing", "none"),
        ("Concat", "low none", "y", {"axis": 1}),
    ]
    path = write_graph(tmp_path / "model.onnx", nodes, ([("x", shape)], [("y", shape)]))
    model = loaded(path, layout={**SPECTRA, "kind": "stft"})

    spectrum = np.abs(np.fft.rfft(restored_by(model, white_noise(16_000))))

    assert spectrum[2_200:].max() < 0.1 * spectrum[:1_900].max()


def test_strength_leaves_some_of_the_input(tmp_path: Path) -> None:
    """Half of a model that halves takes a quarter away."""
    model = loaded(halving(tmp_path)).with_settings({"strength": 0.5})
    samples = white_noise()

    restored = restored_by(model, samples)

    assert restored == pytest.approx(0.75 * samples, abs=1e-7)


class Figures(Record):
    """What a real model reached on the first five VoiceBank-DEMAND files."""

    file: str
    layout: dict[str, Any]
    pesq: float
    si_sdr: float


REAL = [
    Figures(file="fastenhancer_t.onnx", layout=STREAMING, pesq=2.885, si_sdr=17.57),
    Figures(file="fastenhancer_b.onnx", layout=OVERLAPPING, pesq=3.134, si_sdr=19.51),
    Figures(file="gtcrn_dns3_stream.onnx", layout=SPECTRA, pesq=2.624, si_sdr=14.69),
]


@pytest.mark.shared_data
@pytest.mark.parametrize("figures", REAL, ids=lambda figures: figures.file)
def test_real_models_reach_their_figures(figures: Figures, shared_data: Path) -> None:
    """FastEnhancer and GTCRN improve real recordings as much as was measured apart from this code."""
    model = loaded(shared_data / "models" / figures.file, layout=figures.layout, model_sample_rate=16_000)
    recordings = sorted((shared_data / "golden" / "voicebank_demand" / "noisy").glob("*.flac"))[:5]
    scores = []
    for noisy_file in recordings:
        noisy, _ = soundfile.read(noisy_file, dtype="float32")
        clean, _ = soundfile.read(noisy_file.parents[1] / "clean" / noisy_file.name, dtype="float32")
        restored = restored_by(model, noisy)
        scores.append((pesq(16_000, clean, restored, "wb"), _si_sdr_db(clean, restored)))

    mean_pesq, mean_si_sdr_db = np.mean(scores, axis=0)

    assert mean_pesq == pytest.approx(figures.pesq, abs=0.05)
    assert mean_si_sdr_db == pytest.approx(figures.si_sdr, abs=0.5)


def _si_sdr_db(clean: np.ndarray, restored: np.ndarray) -> float:
    target = clean * (np.dot(clean, restored) / np.dot(clean, clean))
    return 10 * float(np.log10(np.sum(target**2) / np.sum((restored - target) ** 2)))
