"""Restorers as the laws meet them: those that need published weights get small ones made here.

A model with weights enters the maker of its own here: a function that writes what the model opens into an
empty folder and returns the settings that name it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.restorers import RESTORERS, Restorer
from stages.rng import rng_for

Maker = Callable[[Path], Mapping[str, Any]]
Port = tuple[str, Sequence[int | str]]


def lawful_restorer(kind: str, folder: Path) -> Restorer:
    """Return the model with its default settings, or with small weights in ``folder``."""
    settings = TINY[kind](folder) if kind in TINY else {}
    return RESTORERS[kind].model_validate(dict(settings))


def write_graph(
    path: Path, nodes: Sequence[tuple[str, str, str]], ports: tuple[list[Port], list[Port]]
) -> Path:
    """Write a graph of nodes (operator, inputs, output) with these ports in and out."""
    import onnx  # noqa: PLC0415
    from onnx import TensorProto, helper  # noqa: PLC0415

    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side]
        for side in ports
    )
    constants = [
        helper.make_tensor("most", TensorProto.FLOAT, [], [0.8]),
        helper.make_tensor("nothing", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("middle_tap", TensorProto.FLOAT, [10], [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]),
        *(helper.make_tensor(f"at_{place}", TensorProto.INT64, [1], [place]) for place in (0, 1, 160, 256)),
    ]
    made = [_node(*node) for node in nodes]
    model = helper.make_model(
        helper.make_graph(made, "small", inputs, outputs, constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, path)
    return path


def _node(operator: str, takes: str, gives: str) -> Any:
    from onnx import helper  # noqa: PLC0415

    settings = {"Transpose": {"perm": [0, 2, 3, 1]}, "Concat": {"axis": -1}}.get(operator, {})
    return helper.make_node(operator, takes.split(), [gives], **settings)


def _spectra(folder: Path) -> Mapping[str, Any]:
    """Write a graph that leaves four fifths of each spectrum."""
    shape = (1, 257, 1, 2)
    ports = [("x", shape)], [("y", shape)]
    return {"path": write_graph(folder / "model.onnx", [("Mul", "x most", "y")], ports)}


def _hops(folder: Path) -> Mapping[str, Any]:
    """Write a graph that gives back the first half of each frame, and so comes a hop late."""
    nodes = [("Slice", "x at_0 at_256 at_1", "y")]
    return {"path": write_graph(folder / "model.onnx", nodes, ([("x", (1, 512))], [("y", (1, 256))]))}


def _dtln(folder: Path) -> Mapping[str, Any]:
    """Write a mask of a half and more where there is more, and a graph that leaves four fifths of frames."""
    spectra, frames = (1, 1, 257), (1, 1, 512)
    masking, rewriting = [("Sigmoid", "x", "y")], [("Mul", "x most", "y")]
    write_graph(folder / "model_1.onnx", masking, ([("x", spectra)], [("y", spectra)]))
    write_graph(folder / "model_2.onnx", rewriting, ([("x", frames)], [("y", frames)]))
    return {"path": folder}


def _deepfilternet3(folder: Path) -> Mapping[str, Any]:
    """Write gains of a half and more where there is more; filters of one tap, which is 1."""
    bands, bins = (1, 1, "S", 32), (1, 2, "S", 96)
    hear = [("Identity", "feat_erb", "e0"), ("Identity", "feat_spec", "emb")]
    write_graph(
        folder / "enc.onnx",
        hear,
        ([("feat_erb", bands), ("feat_spec", bins)], [("e0", bands), ("emb", bins)]),
    )
    write_graph(folder / "erb_dec.onnx", [("Sigmoid", "e0", "m")], ([("e0", bands)], [("m", bands)]))
    filters = [
        ("Transpose", "emb", "last"),
        ("Mul", "last nothing", "none"),
        ("Concat", "none none none none none", "taps"),
        ("Add", "taps middle_tap", "coefs"),
    ]
    write_graph(folder / "df_dec.onnx", filters, ([("emb", bins)], [("coefs", (1, "S", 96, 10))]))
    return {"path": folder}


RNNOISE_LAYERS = (
    ("dense", 42, 24, 0),
    ("gru", 24, 24, 0),
    ("gru", 90, 48, 2),
    ("gru", 114, 96, 0),
    ("dense", 96, 22, 1),
    ("dense", 24, 1, 1),
)
"""Kind, inputs, units and activation of each layer, as the format wants them."""


def _rnnoise(folder: Path) -> Mapping[str, Any]:
    """Write the network of RNNoise with small random weights."""
    rng = rng_for(0, "rnnoise")
    lines = ["rnnoise-nu model file version 1"]
    for layer, inputs, units, activation in RNNOISE_LAYERS:
        gates = 3 if layer == "gru" else 1
        sizes = [gates * inputs * units, *([gates * units * units] if layer == "gru" else []), gates * units]
        lines.append(f"{inputs} {units} {activation}")
        lines.extend(" ".join(map(str, rng.integers(-20, 20, size))) for size in sizes)
    path = folder / "small.rnnn"
    path.write_text("\n".join(lines) + "\n")
    return {"path": path}


TINY: dict[str, Maker] = {
    **dict.fromkeys(("gtcrn", "ul_unas", "lisennet", "fspen", "bsrnn", "fe_dprnn", "fe_dpt"), _spectra),
    "fast_enhancer": _hops,
    "dtln": _dtln,
    "deepfilternet3": _deepfilternet3,
    "rnnoise": _rnnoise,
}
"""Makers by kind."""
