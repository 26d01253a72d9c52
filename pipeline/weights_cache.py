"""The cache of weights: what of some weights is there, and how the rest comes."""

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from pipeline.download_drafts import bytes_to_come, check_room
from pipeline.downloads import Advance, fetch
from pipeline.wording import format_bytes
from schemas import Digest, MissingWeightsError
from stages.weights import WeightFile, Weights, file_digest, weights_digest

Watch = Callable[[WeightFile], Advance]
"""Is told which file comes, and returns what is to be told of its progress."""


def fetch_weights(weights: Weights, watch: Watch) -> Digest:
    """Bring what is missing or wrong into the cache, and return the digest that pins the whole.

    Raises ``MissingWeightsError``. Two processes that want the same weights take turns.
    """
    weights.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(weights.folder / ".fetching.lock"):
        lacking = [file for file in weights.files if not _is_right(weights.folder / file.name, file)]
        check_room(weights.folder, sum(bytes_to_come(file, weights.folder) for file in lacking))
        for file in lacking:
            fetch(file, weights.folder, watch(file))
    return weights_digest(weights.place)


def _is_right(path: Path, file: WeightFile) -> bool:
    """Whether a file is there and what was published; one without a known digest is right if it is there."""
    if not path.is_file():
        return False
    if file.sha256 in {None, file_digest(path)}:
        return True
    path.unlink()
    return False


def state_of(weights: Weights) -> str:
    """Return ``there``, ``missing``, ``2 of 3 files missing`` or ``wrong``."""
    lacking = len(weights.missing)
    if lacking:
        total = len(weights.files)
        return "missing" if lacking == total else f"{lacking} of {total} files missing"
    try:
        weights.checked_digest(weights.name)
    except MissingWeightsError:
        return "wrong"
    return "there"


def weights_size_of(weights: Weights) -> str:
    """Return how much there is to fetch, as far as it is known."""
    return "size unknown" if weights.size_bytes is None else format_bytes(weights.size_bytes)


def source_of(weights: Weights) -> str:
    """Return where weights come from, and which revision of it."""
    return weights.source if weights.revision is None else f"{weights.source} at {weights.revision[:12]}"
