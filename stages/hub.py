"""Files in repositories on the Hugging Face hub."""

from collections.abc import Sequence
from urllib.parse import quote

from schemas import Digest
from stages.weights import WeightFile, Weights

HUB = "https://huggingface.co"


def make_hub_file(
    repository: str,
    path: str,
    *,
    revision: str = "main",
    name: str | None = None,
    sha256: Digest | None = None,
    size_bytes: int | None = None,
) -> WeightFile:
    """Return the file at ``path`` in ``owner/name``, under its own path unless it is given a ``name``."""
    url = f"{HUB}/{repository}/resolve/{quote(revision, safe='')}/{quote(path)}"
    return WeightFile(name=name or path, url=url, sha256=sha256, size_bytes=size_bytes)


def weights_of_revision(
    name: str, repository: str, revision: str, licence: str, files: Sequence[str]
) -> Weights:
    """Return the weights ``name``: files of ``owner/name`` at a revision, of unknown digests."""
    return Weights(
        name=name,
        source=f"{HUB}/{repository}",
        revision=revision,
        licence=licence,
        files=tuple(make_hub_file(repository, file, revision=revision) for file in files),
    )
