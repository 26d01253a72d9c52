"""What object stores have of their own: parts, ranges, conditions, faults, and credentials that stay away."""

import itertools
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.store.files import StoredFile
from pipeline.store.object_files import MULTIPART_BYTES, ObjectFiles
from pipeline.store.object_reader import WHOLE_BYTES
from pipeline.store.object_urls import client_settings_of, split_url
from schemas import RunError, WorkspaceError
from tests.support.faulty_proxy import Fault, FaultyProxy, proxied
from tests.support.object_server import KEYS, ObjectServer, bucket_name


@pytest.fixture
def proxy(object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """Stand before the server."""
    with proxied(object_store.host, object_store.port) as before:
        monkeypatch.setenv("AWS_ENDPOINT_URL", before.url)
        yield before


@pytest.fixture
def objects(object_store: ObjectServer, proxy: FaultyProxy) -> ObjectFiles:
    """Reach a new bucket through the proxy."""
    assert proxy.url
    return ObjectFiles(object_store.make_bucket(bucket_name()))


def test_a_large_file_goes_in_parts_and_comes_by_ranges(objects: ObjectFiles, proxy: FaultyProxy) -> None:
    """Nothing of it is there before its last part, and a reader asks for no more than it reads."""
    content = os.urandom(MULTIPART_BYTES + 1)

    objects.put("large", content)

    assert sum("partNumber" in path for _, path, _ in proxy.seen) > 1
    with objects.open("large") as file:
        file.seek(WHOLE_BYTES * 3)
        assert file.read(100) == content[WHOLE_BYTES * 3 :][:100]
        file.seek(-8, 2)
        assert file.read() == content[-8:]
    assert objects.size("large") == len(content)


def test_a_reader_never_mixes_two_versions(objects: ObjectFiles) -> None:
    """What is put anew while it is read ends in an error, not in bytes of both."""
    objects.put("a", bytes(2 * WHOLE_BYTES))
    with objects.open("a") as file:
        objects.put("a", b"1" * (2 * WHOLE_BYTES))
        file.seek(WHOLE_BYTES)
        with pytest.raises(RunError, match="cannot read"):
            file.read()


@pytest.mark.parametrize("fault", ["slow_down", "reset", "lost_answer", "truncated"])
def test_a_fault_of_the_line_is_nobodys_loss(objects: ObjectFiles, proxy: FaultyProxy, fault: Fault) -> None:
    """Every second request meets it; what was put is there, once, and whoever put it is told so."""
    turns = itertools.cycle((fault, ""))
    proxy.choose = lambda _method, _path: next(turns)

    objects.put("a", b"0" * 10_000)
    is_ours = objects.put_if_absent("lock", b"mine")
    is_theirs = objects.put_if_absent("lock", b"mine")

    assert (is_ours, is_theirs) == (True, False)
    assert StoredFile(objects, "a").read() == b"0" * 10_000
    assert list(objects.sizes()) == [("a", 10_000), ("lock", 4)]
    objects.remove("a")
    assert list(objects.list()) == ["lock"]


def test_one_of_two_puts_over_a_version(objects: ObjectFiles, proxy: FaultyProxy) -> None:
    """A tag lets one writer through, also if it never hears so; then the tag is another."""
    objects.put("lock", b"0")
    found = objects.read_tagged("lock")
    assert found is not None

    turns = itertools.chain(["lost_answer"], itertools.repeat(""))
    proxy.choose = lambda _method, _path: next(turns)  # type: ignore[return-value,assignment]
    first = objects.put_over(found[1], "lock", b"1")

    assert first is not None
    assert objects.put_over(found[1], "lock", b"2") is None
    assert objects.read_tagged("lock") == (b"1", first)


def test_what_is_refused_is_said_in_a_sentence(objects: ObjectFiles, proxy: FaultyProxy) -> None:
    """The store's name, what was asked, and the way out; no key, and no page of XML."""
    proxy.choose = lambda _method, _path: "refused"

    with pytest.raises(RunError) as caught:
        objects.put("tables/a/0.parquet", b"0")

    assert str(caught.value) == (
        f"cannot write {objects.url}/tables/a/0.parquet: the store refuses it to these credentials; with "
        "others the same command goes on"
    )


@pytest.mark.usefixtures("object_store")
def test_a_bucket_that_is_not_there_is_no_missing_file() -> None:
    """To take it for an empty one would begin a run in nowhere."""
    nowhere = ObjectFiles("s3://no-such-bucket/run")

    for ask in (lambda: nowhere.put("a", b""), lambda: nowhere.open("a"), lambda: list(nowhere.list())):
        with pytest.raises(RunError, match="there is no such bucket"):
            ask()


def test_credentials_do_not_travel(objects: ObjectFiles) -> None:
    """What a worker is sent is the URL; it has credentials of its own."""
    objects.put("a", b"0")

    sent = pickle.dumps(objects)

    assert not any(
        secret.encode() in sent for secret in KEYS.values() if secret.startswith(("access", "sec"))
    )
    assert StoredFile(pickle.loads(sent), "a").read() == b"0"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://host/run", "no object store"),
        ("s3://key:secret@bucket/run", "credentials go into the environment"),
        ("s3://bucket/run?token=1", "credentials go into the environment"),
        ("s3:///run", "no bucket"),
    ],
)
def test_a_url_is_a_bucket_and_a_folder(url: str, why: str) -> None:
    """All else is refused before anything is asked of anybody, and what may be a secret is not repeated."""
    with pytest.raises(WorkspaceError, match=why) as caught:
        split_url(url)

    assert "secret" not in str(caught.value)


def test_the_environment_says_where_the_store_is(tmp_path: Path) -> None:
    """As the tools of each store have it: an endpoint may be plain HTTP if its URL says so."""
    nobody = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    local = client_settings_of("s3://bucket", {**nobody, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    assert local["endpoint"] == "http://127.0.0.1:1"
    assert local["client_options"]["allow_http"]
    assert "endpoint" not in client_settings_of("s3://bucket", nobody)
    assert "endpoint" not in client_settings_of("gs://bucket", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
