"""How an ONNX file is known, and which ones are refused."""

import pickle
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper
from pydantic import ValidationError

from schemas import ConfigError, MissingWeightsError, RunError
from stages.restorers.onnx import Onnx
from tests.support.small_graphs import (
    HOP,
    OVERLAPPING,
    SPECTRA,
    STREAMING,
    halving,
    loaded,
    one_hop_late,
)


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    """The same file elsewhere has the same fingerprint; another file at the same place has another."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    first, copy = (Onnx(path=halving(folder)).with_digests() for folder in (here, there))
    other = Onnx(path=one_hop_late(here)).with_digests()

    assert first.spec != copy.spec
    assert first.fingerprint_params == copy.fingerprint_params
    assert first.fingerprint_params != other.fingerprint_params
    assert str(tmp_path) not in str(first.fingerprint_params)


def test_tensors_beside_the_graph_are_part_of_it(tmp_path: Path) -> None:
    """As torch exports by default: other weights under the same graph are another model."""
    path, beside = halving(tmp_path), tmp_path / "model.onnx.data"
    alone = Onnx(path=path).with_digests()
    graph = onnx.load(path)
    for tensor in graph.graph.initializer:  # only raw bytes can lie elsewhere
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
    onnx.save(graph, path, save_as_external_data=True, location=beside.name, size_threshold=0)
    pinned = Onnx(path=path).with_digests()
    pinned.load("cpu")

    beside.write_bytes(bytes(beside.stat().st_size))

    assert len({alone.sha256, pinned.sha256, Onnx(path=path).with_digests().sha256}) == 3
    with pytest.raises(MissingWeightsError, match=f"but {pinned.sha256} was asked for"):
        pinned.load("cpu")


def test_another_file_than_pinned_is_refused(tmp_path: Path) -> None:
    """The message names the file and both digests."""
    pinned = Onnx(path=halving(tmp_path)).with_digests()
    found = Onnx(path=one_hop_late(tmp_path)).with_digests()

    with pytest.raises(MissingWeightsError) as caught:
        pinned.load("cpu")

    assert all(str(part) in str(caught.value) for part in (pinned.path, pinned.sha256, found.sha256))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Neither pinning nor loading goes on without the file."""
    model = Onnx(path=tmp_path / "gone.onnx")

    with pytest.raises(MissingWeightsError, match=r"gone\.onnx"):
        model.with_digests()
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
        loaded(one_hop_late(tmp_path))
    with pytest.raises(ConfigError, match="any length"):
        loaded(halving(tmp_path, (1, 16_000)))
    with pytest.raises(ConfigError, match="take 512 values and give 256"):
        loaded(one_hop_late(tmp_path), layout=OVERLAPPING)
    with pytest.raises(ConfigError, match="take 514 values"):
        loaded(one_hop_late(tmp_path), layout=SPECTRA)
    with pytest.raises(ConfigError, match="axes batch, bin, frame, part, 257 bins"):
        loaded(halving(tmp_path), layout={**SPECTRA, "kind": "stft"})
    with pytest.raises(ConfigError, match="one fixed shape"):
        loaded(halving(tmp_path), layout=STREAMING)


def test_a_hop_beyond_its_frame_is_refused(tmp_path: Path) -> None:
    """Samples that no frame holds would be lost."""
    with pytest.raises(ValidationError, match="skips samples"):
        Onnx.model_validate({"path": tmp_path, "layout": {**STREAMING, "hop_samples": HOP + 1}})


@pytest.mark.parametrize("kind", ["stft", "stft_streaming"])
def test_windowed_frames_that_do_not_overlap_are_refused(tmp_path: Path, kind: str) -> None:
    """Where windows begin they are zero, and what they took away could not be given back."""
    layout = {**SPECTRA, "kind": kind, "hop_samples": SPECTRA["frame_samples"]}

    with pytest.raises(ValidationError, match="have to overlap"):
        Onnx.model_validate({"path": tmp_path, "layout": layout})


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
        Onnx(path=halving(tmp_path)).load("cuda")


def test_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    """Before it is loaded the model is data, and is built again from its spec."""
    model = Onnx(path=halving(tmp_path), model_sample_rate=16_000).with_digests()

    assert pickle.loads(pickle.dumps(model)) == model
    assert Onnx.model_validate(model.spec.params) == model
