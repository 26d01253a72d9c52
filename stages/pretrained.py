"""Pretrained: networks of transformers from a local folder, with every weight in it or not at all."""

from pathlib import Path
from typing import Any

from schemas import MissingWeightsError
from stages import torchaudio_guard


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
