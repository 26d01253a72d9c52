"""Files in public repositories, pinned: on the Hugging Face hub by revision, on GitHub by commit."""

from collections.abc import Mapping
from urllib.parse import quote

from schemas import Digest
from stages.weights.files import WeightFile, Weights

HUB = "https://huggingface.co"


def make_hub_file(
    repository: str,
    path: str,
    *,
    revision: str = "main",
    name: str | None = None,
    sha256: Digest | None = None,
    size_bytes: int | None = None,
    about_bytes: int | None = None,
) -> WeightFile:
    """Return the file at ``path`` in ``owner/name``, under its own path unless it is given a ``name``."""
    url = f"{HUB}/{repository}/resolve/{quote(revision, safe='')}/{quote(path)}"
    return WeightFile(
        name=name or path, url=url, sha256=sha256, size_bytes=size_bytes, about_bytes=about_bytes
    )


KnownFiles = Mapping[str, tuple[int | None, Digest | None]]
"""By path, bytes and SHA-256, as far as anybody who has fetched them says so."""


def weights_of_revision(
    name: str, repository: str, revision: str, licence: str, files: KnownFiles
) -> Weights:
    """Return the weights ``name``: files of ``owner/name`` at a revision."""
    return Weights(
        name=name,
        source=f"{HUB}/{repository}",
        revision=revision,
        licence=licence,
        files=tuple(
            make_hub_file(repository, file, revision=revision, sha256=sha256, size_bytes=size_bytes)
            for file, (size_bytes, sha256) in files.items()
        ),
    )


def make_commit_file(
    repository: str, commit: str, path: str, *, sha256: Digest, size_bytes: int
) -> WeightFile:
    """Return the file at ``path`` in ``commit`` of ``owner/name``, under its own name without folders."""
    return WeightFile(
        name=path.rsplit("/", 1)[-1],
        url=f"https://raw.githubusercontent.com/{repository}/{commit}/{path}",
        sha256=sha256,
        size_bytes=size_bytes,
    )


def weights_of_commit(
    name: str, repository: str, commit: str, licence: str, files: dict[str, tuple[int, Digest]]
) -> Weights:
    """Return the weights ``name``, whose files are given as path: (bytes, SHA-256)."""
    return Weights(
        name=name,
        source=f"https://github.com/{repository}",
        revision=commit,
        licence=licence,
        files=tuple(
            make_commit_file(repository, commit, path, sha256=sha256, size_bytes=size_bytes)
            for path, (size_bytes, sha256) in files.items()
        ),
    )
