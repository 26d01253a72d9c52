"""Downloads against a server on the loopback: whole and checked, or not at all."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import requests

from pipeline.weights.downloads import TOKEN_VARIABLE, _Token, fetch
from schemas import MissingWeightsError
from stages.weights.files import WeightFile
from tests.support.file_server import FileServer, serving

CONTENT = bytes(range(256)) * 16_384
"""Four megabytes."""
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def file_of(server: FileServer, **changes: Any) -> WeightFile:
    """Return the served file as its publishers describe it."""
    described = {"name": "sub/w.bin", "url": server.url, "sha256": DIGEST, "size_bytes": len(CONTENT)}
    return WeightFile.model_validate({**described, **changes})


def fetched(server: FileServer, folder: Path, tries: int = 3, **changes: Any) -> tuple[str, list[int]]:
    """Fetch without pauses; return the digest and all progress that was reported."""
    progress: list[int] = []
    pauses_s = (0.0,) * (tries - 1)
    digest = fetch(file_of(server, **changes), folder, lambda done, _: progress.append(done), pauses_s)
    return digest, progress


def test_a_file_comes_whole(tmp_path: Path) -> None:
    """In its place, with nothing beside it, its progress reported to the end."""
    with serving(FileServer(CONTENT)) as server:
        digest, progress = fetched(server, tmp_path)

    assert digest == DIGEST
    assert (tmp_path / "sub" / "w.bin").read_bytes() == CONTENT
    assert progress == sorted(progress)
    assert progress[-1] == len(CONTENT)
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["w.bin"]


def test_a_cut_connection_is_gone_on_with(tmp_path: Path) -> None:
    """Twice cut, the third request asks for the rest only, and of the same version."""
    with serving(FileServer(CONTENT, cut_after=[2 << 20, 1 << 20])) as server:
        digest, _ = fetched(server, tmp_path)

    assert digest == DIGEST
    assert [asked.get("Range") for asked in server.requests] == [
        None,
        f"bytes={2 << 20}-",
        f"bytes={3 << 20}-",
    ]
    assert [asked.get("If-Range") for asked in server.requests] == [None, '"one"', '"one"']


def test_the_next_command_goes_on_too(tmp_path: Path) -> None:
    """After the last try the part is kept; nothing of the file's own name is there until it is whole."""
    with serving(FileServer(CONTENT, cut_after=[3 << 20])) as server:
        with pytest.raises(MissingWeightsError, match="what came so far is kept"):
            fetched(server, tmp_path, tries=1)
        assert not (tmp_path / "sub" / "w.bin").exists()

        fetched(server, tmp_path, tries=1)

    assert server.requests[1]["Range"] == f"bytes={3 << 20}-"
    assert (tmp_path / "sub" / "w.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("pinned", [True, False])
def test_a_server_without_ranges_sends_all_of_it_again(tmp_path: Path, pinned: bool) -> None:  # noqa: FBT001
    """What was there is dropped, not doubled."""
    changes = {} if pinned else {"sha256": None, "size_bytes": None}
    with serving(FileServer(CONTENT, knows_ranges=False, cut_after=[1_000_000])) as server:
        digest, _ = fetched(server, tmp_path, **changes)

    assert digest == DIGEST


def test_another_version_is_not_joined_to_the_old_one(tmp_path: Path) -> None:
    """Between two tries the file was replaced: it starts anew, also where no digest would tell."""
    with serving(FileServer(CONTENT, cut_after=[1_000_000])) as server:
        with pytest.raises(MissingWeightsError):
            fetched(server, tmp_path, tries=1, sha256=None)
        server.content, server.etag = CONTENT[::-1], '"two"'

        digest, _ = fetched(server, tmp_path, tries=1, sha256=None)

    assert digest == hashlib.sha256(CONTENT[::-1]).hexdigest()


def test_without_digest_and_version_a_part_is_not_trusted(tmp_path: Path) -> None:
    """Nothing says that what is there and what is served belong together."""
    with serving(FileServer(CONTENT, etag=None, cut_after=[1_000_000])) as server:
        digest, _ = fetched(server, tmp_path, sha256=None)

    assert digest == DIGEST
    assert [asked.get("Range") for asked in server.requests] == [None, None]


def test_a_wrong_digest_is_removed_and_named(tmp_path: Path) -> None:
    """Found and expected digests are said; neither the file nor a part of it is left."""
    wrong = bytes([1]) + CONTENT[1:]
    with serving(FileServer(wrong)) as server, pytest.raises(MissingWeightsError) as refused:
        fetched(server, tmp_path)

    assert DIGEST in str(refused.value)
    assert hashlib.sha256(wrong).hexdigest() in str(refused.value)
    assert not list((tmp_path / "sub").iterdir())


def test_a_wrong_size_is_refused_before_it_is_downloaded(tmp_path: Path) -> None:
    """The server's own length is enough to know."""
    said = pytest.raises(MissingWeightsError, match=r"4,194,308 bytes, not 4,194,304 as published")
    with serving(FileServer(CONTENT + b"more")) as server, said:
        fetched(server, tmp_path)

    assert len(server.requests) == 1
    assert not list((tmp_path / "sub").iterdir())


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(tmp_path: Path) -> None:
    """How much is to come and how much room there is; nothing is begun."""
    room = shutil.disk_usage(tmp_path).free
    said = pytest.raises(MissingWeightsError, match=r"are to come, and .* has room for .* --cache")
    with serving(FileServer(CONTENT, claims=2 * room)) as server, said:
        fetched(server, tmp_path, sha256=None, size_bytes=None)

    assert sum(path.stat().st_size for path in (tmp_path / "sub").iterdir()) < 100


def test_a_part_that_is_too_long_starts_anew(tmp_path: Path) -> None:
    """The server has no such range."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".w.bin.part").write_bytes(CONTENT + b"more")

    with serving(FileServer(CONTENT)) as server:
        digest, _ = fetched(server, tmp_path)

    assert digest == DIGEST


def test_what_is_not_there_is_not_asked_for_twice(tmp_path: Path) -> None:
    """404 says where it would be, and what else can be done."""
    said = pytest.raises(MissingWeightsError, match=r"answers 404 Not Found; get sub/w\.bin by hand")
    with serving(FileServer(CONTENT, statuses=[404])) as server, said:
        fetched(server, tmp_path)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("content", "content_type", "said"),
    [
        (b"<html>too many downloads</html>", "text/html; charset=utf-8", "gives a web page"),
        (b"", "application/octet-stream", "is empty"),
    ],
)
def test_a_page_is_not_the_file(tmp_path: Path, content: bytes, content_type: str, said: str) -> None:
    """Stores that answer 200 with a page of theirs do not fill the cache, digest or no digest."""
    server = FileServer(content, content_type=content_type)

    with serving(server), pytest.raises(MissingWeightsError, match=rf"{said}.*get sub/w\.bin by hand"):
        fetched(server, tmp_path, sha256=None, size_bytes=None)

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_closed_says_so(tmp_path: Path) -> None:
    """401 and 403 are no fault of the line."""
    for status in (401, 403):
        said = pytest.raises(MissingWeightsError, match=f"not open to all.*{status}")
        with serving(FileServer(CONTENT, statuses=[status])) as server, said:
            fetched(server, tmp_path)
        assert len(server.requests) == 1


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    """503 and 429 pass; nobody there at all does not, and is said."""
    with serving(FileServer(CONTENT, statuses=[503, 429])) as server:
        digest, _ = fetched(server, tmp_path)
    assert digest == DIGEST

    with pytest.raises(MissingWeightsError, match=r"the connection failed \(ConnectionError\), 2 times"):
        fetched(server, tmp_path / "other", tries=2)


def test_an_address_that_no_client_can_open_is_said(tmp_path: Path) -> None:
    """A source that only people can use."""
    with pytest.raises(MissingWeightsError, match=r"cannot be fetched from here; get sub/w\.bin by hand"):
        fetched(FileServer(CONTENT, url="drive:somewhere"), tmp_path)


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("https://huggingface.co/a/b/resolve/main/c", True),
        ("http://huggingface.co/a/b", False),
        ("https://huggingface.co.example.org/a", False),
        ("https://example.org/huggingface.co", False),
    ],
)
def test_the_token_is_for_the_hub_alone(url: str, is_sent: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """No other host and no open line is shown it."""
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")

    prepared = requests.Request("GET", url, auth=_Token()).prepare()

    assert (prepared.headers.get("Authorization") == "Bearer secret") is is_sent
