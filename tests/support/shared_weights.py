"""Published weights as a fetch would leave them, from the copies in the shared data."""

import csv
from functools import cache
from pathlib import Path

from stages.weights.files import Weights


def lay_out(weights: Weights, data: Path) -> None:
    """Link the files of ``weights`` into the cache. Raises ``KeyError`` for one that ``data`` lacks."""
    for file in weights.files:
        place = weights.folder / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to((data / _names(data)[file.sha256 or ""]).resolve())


@cache
def _names(data: Path) -> dict[str, str]:
    """Return the files of the shared data by their SHA-256, as its own list has them."""
    with (data / "MANIFEST.csv").open() as file:
        return {row["sha256"]: row["file"] for row in csv.DictReader(file)}
