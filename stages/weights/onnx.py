"""ONNX graphs: opened with one thread on the device that was asked for, whole or in parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas import Digest, MissingWeightsError, RunError
from stages.weights.files import file_digest

GraphPart = tuple[Sequence[str], Sequence[str]]
"""The names of what goes into a part and of what comes out."""

_ON_CUDA = {"use_tf32": 0, "cudnn_conv_algo_search": "HEURISTIC"}
"""Single precision, so that scores are those of a CPU to 1e-3; no search for the fastest convolution, which
would begin anew with each length of a recording.
"""


def open_session(path: Path, device: str, sha256: Digest | None = None, *, eight_bits: bool = False) -> Any:
    """Return the graph in ``path``, ready to run on ``device`` (``cpu``, ``cuda``, ``cuda:1``).

    Two threads would change the bits. With ``eight_bits`` sums of integers are exact on all processors: those
    without VNNI would cut them off. Raises ``MissingWeightsError`` if the file is not there, is not
    the one that ``sha256`` names or is no graph, and ``RunError`` if this onnxruntime has no such device.
    """
    require_digest(path, sha256)
    return open_graph(path, device, str(path), eight_bits=eight_bits)


def require_digest(path: Path, sha256: Digest | None) -> None:
    """Raise ``MissingWeightsError`` if ``path`` is not there, or not the file that ``sha256`` names."""
    found = file_digest(path)
    if sha256 not in {None, found}:
        raise MissingWeightsError(f"{path} has SHA-256 {found}, but {sha256} was asked for")


def open_graph(graph: Path | bytes, device: str, name: str, *, eight_bits: bool = False) -> Any:
    """Return a graph that was read or is to be read, as ``open_session`` does; ``name`` is for errors."""
    import onnxruntime  # noqa: PLC0415
    from onnxruntime.capi import onnxruntime_pybind11_state as errors  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if eight_bits:
        options.add_session_config_entry("session.x64quantprecision", "1")
    providers = _providers(device, onnxruntime.get_available_providers())
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=providers)
    except (
        errors.Fail,
        errors.InvalidArgument,
        errors.InvalidGraph,
        errors.InvalidProtobuf,
        errors.NotImplemented,
    ) as error:
        raise MissingWeightsError(f"{name} is not a graph that this onnxruntime can run: {error}") from error
    return _require_cuda(session, device)


def _providers(device: str, available: list[str]) -> list[Any]:
    name, _, number = device.partition(":")
    if name != "cuda":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in available:
        raise RunError(f"{device} was asked for, but this onnxruntime has no CUDA: install onnxruntime-gpu")
    import onnxruntime  # noqa: PLC0415

    onnxruntime.preload_dlls()  # CUDA and cuDNN may come in wheels, as torch's do
    return [("CUDAExecutionProvider", {**_ON_CUDA, "device_id": int(number or 0)}), "CPUExecutionProvider"]


def _require_cuda(session: Any, device: str) -> Any:
    """Return the session; onnxruntime goes on on the CPU, and only logs it, where CUDA does not start."""
    if device.startswith("cuda") and "CUDAExecutionProvider" not in session.get_providers():
        raise RunError(
            f"{device} was asked for, but onnxruntime could not start CUDA: see what it has logged"
        )
    return session


def open_parts(
    path: Path,
    device: str,
    parts: Sequence[GraphPart],
    shapes: Mapping[str, Sequence[int | str]],
    sha256: Digest | None = None,
) -> list[Any]:
    """Return the ``parts`` of the graph in ``path``, each ready to run on ``device``.

    ``shapes`` tells those of the names between parts, a text for a length that is free. Raises what
    ``open_session`` raises, and ``MissingWeightsError`` without the package onnx.
    """
    require_digest(path, sha256)
    try:
        import onnx  # noqa: PLC0415
        from onnx.utils import Extractor  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingWeightsError(
            f"{path.name} is opened in parts by the package onnx: pip install it"
        ) from error
    whole = onnx.load(path)
    as_float = onnx.TensorProto.FLOAT
    whole.graph.value_info.extend(
        onnx.helper.make_tensor_value_info(name, as_float, shape) for name, shape in shapes.items()
    )
    models = [Extractor(whole).extract_model(list(first), list(last)) for first, last in parts]
    return [open_graph(model.SerializeToString(), device, str(path)) for model in models]
