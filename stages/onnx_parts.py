"""Parts of an ONNX graph: opened one by one, where one of them is asked more often than the others."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas import Digest, MissingWeightsError
from stages.onnx_session import require_digest, open_graph

GraphPart = tuple[Sequence[str], Sequence[str]]
"""The names of what goes into a part and of what comes out."""


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
