"""Checkpoints: read without running any code that they hold, and put into a network key by key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import MissingWeightsError, RunError
from stages.audio.waveform import Samples
from stages.weights.checkpoints import read_checkpoint

__all__ = ["read_checkpoint", "require_device", "run_batch", "run_network", "tensors_of", "with_state"]

KEYS_SHOWN = 3


def tensors_of(checkpoint: Any, path: Path) -> Mapping[str, Any]:
    """Return a checkpoint that is a state alone; raises ``MissingWeightsError`` if it is anything else."""
    import torch  # noqa: PLC0415

    if isinstance(checkpoint, Mapping) and all(
        isinstance(each, torch.Tensor) for each in checkpoint.values()
    ):
        return checkpoint
    raise MissingWeightsError(f"{path} holds no plain state of a network, names and tensors")


def with_state(network: Any, state: Mapping[str, Any], path: Path, device: str) -> Any:
    """Return ``network`` with exactly the weights of ``state``, on ``device``, ready to be asked.

    Raises ``MissingWeightsError`` if a key is missing, left over or of another shape, and ``RunError`` if
    there is no such device.
    """
    require_device(device)
    own = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in state.items()}
    if own != given:
        raise MissingWeightsError(f"{path} is another network: {_describe_difference(own, given)}")
    network.load_state_dict(dict(state))
    return network.requires_grad_(requires_grad=False).eval().to(device)


def run_network(network: Any, *sides: Samples) -> Any:
    """Return what ``network`` says of mono signals, each given as a batch of one on its device."""
    return run_batch(network, *(side[None] for side in sides))


def run_batch(network: Any, *batches: NDArray[np.float32]) -> Any:
    """Return what ``network`` says of arrays that have its batch dimension, on its device."""
    import torch  # noqa: PLC0415

    device = next(network.parameters()).device
    with torch.inference_mode():
        return network(*(torch.from_numpy(batch.copy()).to(device) for batch in batches))


def require_device(device: str) -> str:
    """Return ``device``; raises ``RunError`` if this machine or this torch has no such one.

    From then on torch convolves on GPUs in single precision: with the ten bits of TF32, its default there,
    opinion scores would not be those of a CPU to 1e-3.
    """
    import torch  # noqa: PLC0415

    try:
        torch.device(device)
    except RuntimeError as error:
        raise RunError(f"{device!r} is no device: cpu, cuda, cuda:1") from error
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise RunError(f"{device} was asked for, but this torch sees no GPU")
    if device.startswith("cuda"):
        torch.backends.cudnn.allow_tf32 = False
    return device


def _describe_difference(own: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]]) -> str:
    differences = {
        "lacks": sorted(own.keys() - given.keys()),
        "has besides": sorted(given.keys() - own.keys()),
        "has in another shape": sorted(key for key in own.keys() & given.keys() if own[key] != given[key]),
    }
    return "; ".join(
        f"it {verb} {len(keys)} tensors, as {', '.join(keys[:KEYS_SHOWN])}"
        for verb, keys in differences.items()
        if keys
    )
