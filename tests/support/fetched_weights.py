"""Published weights that are tested with where they have been fetched, and nowhere else."""

import pytest

from stages.weights.files import Weights


def require_fetched(weights: Weights | None) -> None:
    """Skip the test unless ``weights`` are in the cache, saying how they get there."""
    assert weights is not None
    if weights.missing:
        pytest.skip(f"needs 'python -m pipeline weights fetch {weights.name}'")
