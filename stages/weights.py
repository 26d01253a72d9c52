"""Weights: which files a model is made of, where they come from, and where they lie on this machine."""

import hashlib
import os
from pathlib import Path

from pydantic import Field

from schemas import Digest, MissingWeightsError, Record

CACHE_VARIABLE = "UNANIMOUS_WEIGHTS"
"""Names the cache directory; without it, weights lie in ~/.cache/unanimous/weights."""
BLOCK_BYTES = 1 << 20


class WeightFile(Record):
    """One file, where it is published, and what must be in it."""

    name: str = Field(min_length=1)
    """Its path below the folder of its weights."""
    url: str = Field(min_length=1)
    sha256: Digest | None = None
    """None where nobody here has seen the file: fetching it prints the digest, for the config to pin."""
    size_bytes: int | None = Field(default=None, gt=0)


class Weights(Record):
    """What one network was trained to be, as its authors published it."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    source: str
    """The repository or page, for people."""
    revision: str | None = None
    """The commit or tag of the source; None where it has none."""
    licence: str
    """At that revision, as an SPDX identifier where there is one."""
    files: tuple[WeightFile, ...] = Field(min_length=1)

    @property
    def folder(self) -> Path:
        """Where the files lie in the cache, those of another revision elsewhere."""
        return cache_directory() / self.name / (self.revision or "unversioned")

    @property
    def place(self) -> Path:
        """What is opened: the file if it is one, else the folder."""
        return self.folder / self.files[0].name if len(self.files) == 1 else self.folder


def cache_directory() -> Path:
    """Return the directory that fetched weights are kept in."""
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/unanimous/weights").expanduser()


def weights_digest(path: Path) -> Digest:
    """Return the SHA-256 of a file, or of the names and digests of all files of a folder.

    Raises ``MissingWeightsError`` if there is nothing, or nothing that can be read.
    """
    if not path.is_dir():
        return file_digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    if not files:
        raise MissingWeightsError(f"{path} is an empty folder: put the weights there")
    listed = "\n".join(f"{file.relative_to(path).as_posix()} {file_digest(file)}" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def file_digest(path: Path) -> Digest:
    """Return the SHA-256 of a file. Raises ``MissingWeightsError`` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingWeightsError(f"{path} cannot be read ({error.strerror}): put the model there") from error
