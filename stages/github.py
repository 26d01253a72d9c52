"""Files in public repositories on GitHub, by commit: what they hold cannot change any more."""

from schemas import Digest
from stages.weights import WeightFile, Weights


def make_commit_file(repository: str, commit: str, path: str, *, sha256: Digest, size_bytes: int) -> WeightFile:
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
