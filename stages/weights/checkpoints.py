"""Checkpoints are data: what would run code of its own is refused, whoever it comes from.

A pickle is a program. Of ``torch.save`` only tensors, numbers, texts and their containers are read
(``weights_only``); safetensors, ONNX and TorchScript have no Python in them to begin with.
"""

import pickle
from pathlib import Path
from typing import Any

from schemas import MissingWeightsError
from stages import torchaudio_guard

CONVERT = (
    "convert it to safetensors where you trust it, on a machine of its own: "
    "safetensors.torch.save_file(state_dict, 'model.safetensors')"
)
BEGINNINGS = b"PK", b"\x80"
"""Of archives, as ``torch.save`` writes them, and of pickles, as its first versions did."""


def read_checkpoint(path: Path) -> Any:
    """Return what is in ``path``, on the CPU: safetensors, or a file of ``torch.save`` that is data alone.

    Raises ``MissingWeightsError`` if it cannot be read, or would run code; then nothing of it has run.
    """
    import torch  # noqa: PLC0415
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise MissingWeightsError(f"{path} {_describe_complaint(path)}") from error
    except (OSError, EOFError, RuntimeError, ValueError, SafetensorError) as error:
        said = str(error).partition("\n")[0] or "it ends too early"
        raise MissingWeightsError(f"{path} is no checkpoint, or not all of one: {said}") from error


def _describe_complaint(path: Path) -> str:
    """Return why a pickle is refused, or what was taken for one, and the way out."""
    import torch  # noqa: PLC0415

    with path.open("rb") as file:
        beginning = file.read(8)
    if not beginning.startswith(BEGINNINGS):
        return f"is no checkpoint: it begins with {beginning!r}, as neither torch nor safetensors does"
    try:
        wanted = ", ".join(sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path)))
    except (ValueError, RuntimeError, OSError, pickle.UnpicklingError):
        wanted = ""  # no archive of torch's: what it asks for cannot be listed without reading it
    if not wanted:
        return f"is a pickle that may run code of its own, and is not read; {CONVERT}"
    return f"would run code of its own ({wanted}), and is not read; {CONVERT}"


def load_pretrained(name: str, path: Path) -> Any:
    """Return the network with all its weights from ``path``: what is missing there would be random.

    ``name`` is a class of transformers, ``path`` a folder with config.json and safetensors, or a
    ``pytorch_model.bin`` that holds tensors alone. Raises ``MissingWeightsError`` if the folder holds
    something else.
    """
    from safetensors import SafetensorError  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()
    model = architecture(name)
    try:
        loaded, found = model.from_pretrained(
            path,
            local_files_only=True,
            use_safetensors=any(Path(path).glob("*.safetensors")),  # else a file of tensors alone
            weights_only=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise MissingWeightsError(f"{path} is no {name}: {error}") from error
    if found["missing_keys"] or found["mismatched_keys"]:
        raise MissingWeightsError(f"{path} lacks weights that {name} needs")
    return loaded.eval()


def architecture(name: str) -> Any:
    """Return the class ``name`` of transformers, many of whose modules import torchaudio."""
    torchaudio_guard.install_guard()
    import transformers  # noqa: PLC0415 - seconds

    return getattr(transformers, name)
