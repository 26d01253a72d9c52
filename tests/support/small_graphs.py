"""ONNX graphs whose answer is known, and the restorers that run them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers.onnx import Onnx

HOP = 256
STREAMING = {"kind": "streaming", "frame_samples": HOP, "hop_samples": HOP, "delay_samples": HOP}
OVERLAPPING = {"kind": "streaming", "frame_samples": 2 * HOP, "hop_samples": HOP, "delay_samples": HOP}
SPECTRA = {"kind": "stft_streaming", "frame_samples": 2 * HOP, "hop_samples": HOP, "window": "sqrt_hann"}
Shape = Sequence[int | str]
Port = tuple[str, Shape]
Node = tuple[str, str, str] | tuple[str, str, str, Mapping[str, Any]]
"""Operator, names of its inputs, name of its output, settings of the operator if it needs any."""

CONSTANTS = (
    helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
    helper.make_tensor("most", TensorProto.FLOAT, [], [0.8]),
    helper.make_tensor("nothing", TensorProto.FLOAT, [], [0.0]),
    helper.make_tensor("lowest", TensorProto.FLOAT, [], [-0.02]),
    helper.make_tensor("highest", TensorProto.FLOAT, [], [0.02]),
    helper.make_tensor("middle_tap", TensorProto.FLOAT, [10], [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]),
    helper.make_tensor("last_tap", TensorProto.FLOAT, [10], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
    *(helper.make_tensor(f"at_{n}", TensorProto.INT64, [1], [n]) for n in (0, 1, 64, 160, HOP, HOP + 1)),
)
"""What nodes can name beside the inputs of their graph."""


def write_graph(path: Path, nodes: Sequence[Node], ports: tuple[Sequence[Port], Sequence[Port]]) -> Path:
    """Write a graph of nodes with these ports in and out, and return where it is."""
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side]
        for side in ports
    )
    made = [_made(*node) for node in nodes]
    model = helper.make_model(
        helper.make_graph(made, "small", inputs, outputs, CONSTANTS),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, path)
    return path


def _made(operator: str, takes: str, gives: str, settings: Mapping[str, Any] = MappingProxyType({})) -> Any:
    return helper.make_node(operator, takes.split(), gives.split(), **settings)


def halving(folder: Path, shape: Shape = ("T",)) -> Path:
    """Write a graph that gives half of what it takes."""
    return write_graph(folder / "model.onnx", [("Mul", "x half", "y")], ([("x", shape)], [("y", shape)]))


def one_hop_late(folder: Path, shape: Shape = (1, HOP)) -> Path:
    """Write a graph that gives what it took the time before."""
    nodes = [("Identity", "memory", "y"), ("Identity", "x", "memory_out")]
    ports = [("x", shape), ("memory", shape)], [("y", shape), ("memory_out", shape)]
    return write_graph(folder / "model.onnx", nodes, ports)


def first_half_of_the_frame(folder: Path) -> Path:
    """Write a graph that gives the first half of each frame, and so comes a hop late."""
    nodes = [("Slice", "x at_0 at_256 at_1", "y")]
    return write_graph(folder / "model.onnx", nodes, ([("x", (1, 2 * HOP))], [("y", (1, HOP))]))


def loaded(path: Path, **fields: Any) -> Onnx:
    """Return the model of a graph, ready to restore."""
    model = Onnx.model_validate({"path": path, **fields})
    model.load("cpu")
    return model


def restored_by(model: Onnx, samples: np.ndarray) -> np.ndarray:
    """Return what the model makes of a recording at 16 kHz."""
    return model.restore([Waveform(samples, 16_000)], [rng_for(0, "unused")])[0].samples
