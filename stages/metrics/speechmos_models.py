"""The graphs inside the package speechmos, found without importing it."""

import importlib.util
from pathlib import Path

from schemas import MissingWeightsError


def find_speechmos_model(name: str) -> Path:
    """Return where the package keeps ``name``. Raises ``MissingWeightsError`` without the package.

    Its modules import librosa, which is slow, and others that it does not declare; its files need none.
    """
    package = importlib.util.find_spec("speechmos")
    if package is None or not package.submodule_search_locations:
        raise MissingWeightsError(
            "the package speechmos, which holds the weights, is not there: pip install it"
        )
    return Path(package.submodule_search_locations[0]) / name
