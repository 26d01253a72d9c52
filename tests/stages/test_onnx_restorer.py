"""What a model from an ONNX file promises, on graphs whose answer is known and on real ones."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper
from pesq import pesq
from pydantic import ValidationError

from schemas import ConfigError, MissingWeightsError, Record, RunError
from stages.restorers.onnx import Onnx
from stages.rng import rng_for
from stages.waveform import Waveform

HOP = 256
STREAMING = {"kind": "streaming", "frame_samples": HOP, "hop_samples": HOP, "delay_samples": HOP}
OVERLAPPING = {"kind": "streaming", "frame_samples": 2 * HOP, "hop_samples": HOP, "delay_samples": HOP}
SPECTRA = {"kind": "stft_streaming", "frame_samples": 2 * HOP, "hop_samples": HOP, "window": "sqrt_hann"}

Shape = Sequence[int | str]
Port = tuple[str, Shape]


def _graph(folder: Path, nodes: Sequence[Any], takes: Sequence[Port], gives: Sequence[Port]) -> Path:
    """Write a graph of ``nodes`` and return where it is."""
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side]
        for side in (takes, gives)
    )
    constants = [
        helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        *(helper.make_tensor(f"at_{n}", TensorProto.INT64, [1], [n]) for n in (0, 64, HOP)),
        helper.make_tensor("at_end", TensorProto.INT64, [1], [HOP + 1]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ]
    graph = helper.make_graph(nodes, "test", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "model.onnx"
    onnx.save(model, path)
    return path


def _node(kind: str, takes: str, gives: str) -> Any:
    return helper.make_node(kind, takes.split(), gives.split())


def _halving(folder: Path, shape: Shape = ("T",)) -> Path:
    return _graph(folder, [_node("Mul", "x half", "y")], [("x", shape)], [("y", shape)])


def _one_hop_late(folder: Path, shape: Shape = (1, HOP)) -> Path:
    nodes = [_node("Identity", "memory", "y"), _node("Identity", "x", "memory_out")]
    return _graph(folder, nodes, [("x", shape), ("memory", shape)], [("y", shape), ("memory_out", shape)])


def _summing(folder: Path) -> Path:
    nodes = [_node("Add", "x memory", "y"), _node("Identity", "y", "memory_out")]
    shape = (1, HOP)
    return _graph(folder, nodes, [("x", shape), ("memory", shape)], [("y", shape), ("memory_out", shape)])


def _first_half_of_the_frame(folder: Path) -> Path:
    nodes = [_node("Slice", "x at_0 at_256 axis", "y")]
    return _graph(folder, nodes, [("x", (1, 2 * HOP))], [("y", (1, HOP))])


def _loaded(path: Path, **fields: Any) -> Onnx:
    model = Onnx.model_validate({"path": path, **fields})
    model.load("cpu")
    return model


def _restored(model: Onnx, samples: np.ndarray) -> np.ndarray:
    return model.restore([Waveform(samples, 16_000)], [rng_for(0, "unused")])[0].samples


def _noise(length: int = 5_000) -> np.ndarray:
    return (0.1 * rng_for(0, "noise").standard_normal(length)).astype(np.float32)


@pytest.mark.parametrize("shape", [("T",), (1, "T"), (1, 1, "T"), ("batch", "T")])
def test_a_whole_waveform_goes_through_in_the_graphs_shape(tmp_path: Path, shape: Shape) -> None:
    """One, two or three axes are read off the graph."""
    samples = _noise()

    restored = _restored(_loaded(_halving(tmp_path, shape)), samples)

    assert np.array_equal(restored, samples / 2)


@pytest.mark.parametrize("length", [1, HOP - 1, HOP, HOP + 1, 5_000])
def test_a_stream_with_memory_comes_back_on_time(tmp_path: Path, length: int) -> None:
    """A graph that gives back the hop before, declared as one hop late, is the identity at any length."""
    samples = _noise(length)

    restored = _restored(_loaded(_one_hop_late(tmp_path), layout=STREAMING), samples)

    assert np.array_equal(restored, samples)


@pytest.mark.parametrize("length", [1, HOP, 5_000])
def test_overlapping_frames_come_back_on_time(tmp_path: Path, length: int) -> None:
    """A graph that gives the first half of each frame is one hop late, and so the identity."""
    samples = _noise(length)

    restored = _restored(_loaded(_first_half_of_the_frame(tmp_path), layout=OVERLAPPING), samples)

    assert np.array_equal(restored, samples)


def test_memory_starts_empty_for_every_recording(tmp_path: Path) -> None:
    """A graph that adds up all hops so far adds up those of this recording only."""
    model = _loaded(_summing(tmp_path), layout={**STREAMING, "delay_samples": 0})
    samples = np.ones(4 * HOP, dtype=np.float32)

    first, second = _restored(model, samples), _restored(model, samples)

    assert first[::HOP].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("window", ["hann", "sqrt_hann"])
@pytest.mark.parametrize("length", [1, HOP, 5_000])
@pytest.mark.parametrize("late", [False, True])
def test_spectra_come_back_as_the_waveform(tmp_path: Path, window: str, length: int, late: bool) -> None:  # noqa: FBT001
    """A graph that gives its spectra back, at once or a step later, is the identity to 24 bits."""
    shape = (1, HOP + 1, 1, 2)
    at_once = [_node("Identity", "x", "y")]
    path = (
        _one_hop_late(tmp_path, shape) if late else _graph(tmp_path, at_once, [("x", shape)], [("y", shape)])
    )
    model = _loaded(path, layout={**SPECTRA, "window": window, "delay_samples": HOP * late})
    samples = _noise(length)

    restored = _restored(model, samples)

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
    identity = _graph(tmp_path, [_node("Identity", "x", "y")], [("x", shape)], [("y", shape)])
    samples = _noise(length)

    restored = _restored(_loaded(identity, layout=layout), samples)

    assert restored.shape == samples.shape
    assert np.abs(restored - samples).max() < 2**-22


def test_bins_and_frames_are_told_apart(tmp_path: Path) -> None:
    """A graph that empties all but the first bins of its second axis is a low-pass filter."""
    shape: Shape = (1, HOP + 1, "T", 2)
    nodes = [
        _node("Slice", "x at_0 at_64 axis", "low"),
        _node("Slice", "x at_64 at_end axis", "high"),
        _node("Mul", "high zero", "none"),
        helper.make_node("Concat", ["low", "none"], ["y"], axis=1),
    ]
    path = _graph(tmp_path, nodes, [("x", shape)], [("y", shape)])
    model = _loaded(path, layout={**SPECTRA, "kind": "stft"})

    spectrum = np.abs(np.fft.rfft(_restored(model, _noise(16_000))))

    assert spectrum[2_200:].max() < 0.1 * spectrum[:1_900].max()


def test_strength_leaves_some_of_the_input(tmp_path: Path) -> None:
    """Half of a model that halves takes a quarter away."""
    model = _loaded(_halving(tmp_path)).with_settings({"strength": 0.5})
    samples = _noise()

    restored = _restored(model, samples)

    assert restored == pytest.approx(0.75 * samples, abs=1e-7)


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    """The same file elsewhere has the same fingerprint; another file at the same place has another."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    first, copy = (Onnx(path=_halving(folder)).pinned() for folder in (here, there))
    other = Onnx(path=_one_hop_late(here)).pinned()

    assert first.spec != copy.spec
    assert first.fingerprint_params == copy.fingerprint_params
    assert first.fingerprint_params != other.fingerprint_params
    assert str(tmp_path) not in str(first.fingerprint_params)


def test_another_file_than_pinned_is_refused(tmp_path: Path) -> None:
    """The message names the file and both digests."""
    pinned = Onnx(path=_halving(tmp_path)).pinned()
    found = Onnx(path=_one_hop_late(tmp_path)).pinned()

    with pytest.raises(MissingWeightsError) as caught:
        pinned.load("cpu")

    assert all(str(part) in str(caught.value) for part in (pinned.path, pinned.sha256, found.sha256))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Neither pinning nor loading goes on without the file."""
    model = Onnx(path=tmp_path / "gone.onnx")

    with pytest.raises(MissingWeightsError, match=r"gone\.onnx"):
        model.pinned()
    with pytest.raises(MissingWeightsError, match=r"gone\.onnx"):
        model.load("cpu")


@pytest.mark.parametrize("content", ["<html>not found</html>", ""])
def test_a_file_that_is_no_graph_is_named(tmp_path: Path, content: str) -> None:
    """A download that was an error page, or nothing, is told apart from a model."""
    path = tmp_path / "page.onnx"
    path.write_text(content)

    with pytest.raises(MissingWeightsError, match=r"page\.onnx is not a graph"):
        Onnx(path=path).load("cpu")


def test_a_graph_that_does_not_fit_its_layout_is_refused(tmp_path: Path) -> None:
    """What the graph takes and gives is in the message."""
    with pytest.raises(ConfigError, match="memory"):
        _loaded(_one_hop_late(tmp_path))
    with pytest.raises(ConfigError, match="any length"):
        _loaded(_halving(tmp_path, (1, 16_000)))
    with pytest.raises(ConfigError, match="take 512 values and give 256"):
        _loaded(_one_hop_late(tmp_path), layout=OVERLAPPING)
    with pytest.raises(ConfigError, match="take 514 values"):
        _loaded(_one_hop_late(tmp_path), layout=SPECTRA)
    with pytest.raises(ConfigError, match="axes batch, bin, frame, part, 257 bins"):
        _loaded(_halving(tmp_path), layout={**SPECTRA, "kind": "stft"})
    with pytest.raises(ConfigError, match="one fixed shape"):
        _loaded(_halving(tmp_path), layout=STREAMING)


def test_a_hop_beyond_its_frame_is_refused(tmp_path: Path) -> None:
    """Samples that no frame holds would be lost."""
    with pytest.raises(ValidationError, match="skips samples"):
        Onnx.model_validate({"path": tmp_path, "layout": {**STREAMING, "hop_samples": HOP + 1}})


def test_axes_have_to_be_named_once(tmp_path: Path) -> None:
    """An axis that is missing, or there twice, is found when the config is read."""
    for axes in (["bin", "frame"], ["batch", "batch", "bin", "frame", "part"]):
        with pytest.raises(ValidationError, match="axes are bin, frame and part"):
            Onnx.model_validate({"path": tmp_path, "layout": {**SPECTRA, "kind": "stft", "axes": axes}})


def test_a_device_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    """Asking a build without CUDA for CUDA is no reason to compute elsewhere in silence."""
    import onnxruntime  # noqa: PLC0415

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(RunError, match="no CUDA"):
        Onnx(path=_halving(tmp_path)).load("cuda")


def test_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    """Before it is loaded the model is data, and is built again from its spec."""
    model = Onnx(path=_halving(tmp_path), model_sample_rate=16_000).pinned()

    assert pickle.loads(pickle.dumps(model)) == model
    assert Onnx.model_validate(model.spec.params) == model


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
    model = _loaded(shared_data / "models" / figures.file, layout=figures.layout, model_sample_rate=16_000)
    recordings = sorted((shared_data / "golden" / "voicebank_demand" / "noisy").glob("*.flac"))[:5]
    scores = []
    for noisy_file in recordings:
        noisy, _ = soundfile.read(noisy_file, dtype="float32")
        clean, _ = soundfile.read(noisy_file.parents[1] / "clean" / noisy_file.name, dtype="float32")
        restored = _restored(model, noisy)
        scores.append((pesq(16_000, clean, restored, "wb"), _si_sdr_db(clean, restored)))

    mean_pesq, mean_si_sdr_db = np.mean(scores, axis=0)

    assert mean_pesq == pytest.approx(figures.pesq, abs=0.05)
    assert mean_si_sdr_db == pytest.approx(figures.si_sdr, abs=0.5)


def _si_sdr_db(clean: np.ndarray, restored: np.ndarray) -> float:
    target = clean * (np.dot(clean, restored) / np.dot(clean, clean))
    return 10 * float(np.log10(np.sum(target**2) / np.sum((restored - target) ** 2)))
