"""A workspace in an object store: the same tables, killed and gone on with, held by one run at a time."""

import shutil
import time
from pathlib import Path

import pytest

from pipeline.listening.votes import VoteBook
from pipeline.store.object_files import ObjectFiles
from pipeline.store.object_lock import ObjectLock
from pipeline.store.object_workspace import ObjectWorkspace
from schemas import WorkspaceError
from tests.support import processes, tiny
from tests.support.forked_commands import typed
from tests.support.object_server import KEYS, ObjectServer, bucket_name
from tests.support.served import client_of


@pytest.fixture
def url(object_store: ObjectServer) -> str:
    """Return where a run is to be."""
    return f"{object_store.make_bucket(bucket_name())}/runs/tiny"


def fetched(url: str, folder: Path) -> Path:
    """Copy what is in a workspace into a folder."""
    files = ObjectFiles(url)
    for name in files.list():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with files.open(name) as file:
            place.write_bytes(file.read())
    return folder


def put_all(folder: Path, url: str) -> None:
    """Copy a workspace from its folder into the store."""
    files = ObjectFiles(url)
    for path in folder.rglob("*"):
        if path.is_file():
            files.put_file(path.relative_to(folder).as_posix(), path)


def num_shards(url: str) -> int:
    """Count the shards that are in their tables."""
    return sum(1 for _ in ObjectFiles(url).list("tables"))


def test_killed_and_gone_on_with(url: str, config: Path, tmp_path: Path, expected: dict[str, str]) -> None:
    """After kill -9 the same command goes on; tables and dataset have the digests of a run on a disk.

    Then every command that takes a URL finds what it needs there, and no key is in anything that was written.
    """
    log = tmp_path / "log"
    with processes.started(config, url, "--executor", "local", log=log) as run:
        processes.wait_until(lambda: num_shards(url) >= 9, run)
        processes.kill_all(run)
    assert num_shards(url) < tiny.TICKETS
    journals = [entry.place for entry in ObjectWorkspace(url).journals.walk()]

    done = tiny.run(config, url, "--executor", "local")

    copy = fetched(url, tmp_path / "copy")
    assert tiny.files_of(copy) == expected
    assert not list(copy.rglob("journals/*")), "journals are of tickets in flight"
    assert not (copy / "lock.json").exists()
    assert f"dataset: {url}/dataset" in done.stdout
    assert len(journals) <= 1
    written = b"".join(path.read_bytes() for path in copy.rglob("*") if path.is_file())
    assert not any(KEYS[name].encode() in written for name in KEYS if name.endswith(("KEY_ID", "ACCESS_KEY")))

    assert f'data_files={{"train": "{url}/dataset/pairs/train-*.parquet"}}' in done.stdout
    status = typed("status", url)
    assert "nobody is at work in it" in status.stdout, status.stderr
    assert "dataset   finished" in status.stdout
    verified = typed("verify", f"{url}/dataset", "--rows", "1")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    decided = typed("decide", config, "--workspace", url, "--set", "preference.pairs.keep=best")
    assert decided.returncode == 0, decided.stderr
    report = typed("report", url, "--out", tmp_path / "report.html")
    assert report.returncode == 0, report.stderr
    exported = typed("export", config, "--workspace", url, "--out", tmp_path / "dataset")
    assert exported.returncode == 0, exported.stderr
    shutil.copytree(tmp_path / "dataset", tmp_path / "exported" / "dataset")
    assert tiny.files_of(tmp_path / "exported").items() <= expected.items()
    planned = typed("plan", config, "--workspace", url)
    assert f"tickets   {tiny.TICKETS} of {tiny.TICKETS} are done" in planned.stdout, planned.stderr
    assert ", in the object store; " in planned.stdout
    replayed = typed("replay", f"{url}/dataset", "0")
    assert "the same, bit for bit" in replayed.stdout, replayed.stderr
    audited = typed("audit", url)
    assert f"in {url}" in audited.stdout, audited.stderr
    pruned = typed("prune", url, "--config", config)
    assert "of 1 table" in pruned.stdout, pruned.stderr  # that of the other decision
    tokens = typed("tokens", f"{url}/dataset", "--codec", "ours", "--out", tmp_path / "tokens")
    assert "62.5 frames a second" in tokens.stdout, tokens.stderr


def test_listeners_vote_on_what_is_in_the_store(url: str, undisturbed: Path) -> None:
    """The dashboard shows a run at a URL, plays its recordings, and keeps votes there for ``listening``."""
    put_all(undisturbed / "workspace", url)
    client = client_of(ObjectWorkspace(url))

    assert "Unanimous" in client.get("/").text
    asked = client.get("/listen/Zoë K.").json()
    heard = client.get(f"/listen/Zoë K./{asked['trial']}/a", headers={"range": "bytes=0-3"})
    voted = client.post("/listen/Zoë K.", json={"trial": asked["trial"], "choice": "a"})

    assert heard.content == b"fLaC"
    assert voted.json()["judged"] == 1
    assert [vote.listener for vote in VoteBook(ObjectWorkspace(url).votes).all()] == ["Zoë K."]
    assert "Zoë K.: 1 trial" in typed("listening", url).stdout


@pytest.mark.ray
def test_workers_of_ray_reach_the_store(
    url: str, config: Path, tmp_path: Path, expected: dict[str, str]
) -> None:
    """Each opens it by its own environment, speech too, and what they log is there when they have gone."""
    put_all(config.parent / "speech", f"{url}-speech")
    speech = tiny.tiny_config(config.parent)["speech"][0] | {"path": f"{url}-speech"}
    settings = tiny.tiny_config(config.parent, speech=[speech])
    tiny.run(tiny.write_config(tmp_path, settings), url, "--workers", "2")

    copy = fetched(url, tmp_path / "copy")
    assert tiny.files_of(copy) == expected
    assert {path.parent.name for path in copy.glob("logs/*/*")} == {"run", "tickets", "workers"}


@pytest.fixture
def files(url: str) -> ObjectFiles:
    """Return the objects of a workspace."""
    return ObjectFiles(url)


def test_two_runs_never_hold_one_workspace(files: ObjectFiles) -> None:
    """A second one is told who holds it; when that has ended it is free."""
    with ObjectLock(files, beat_s=0.1).hold(), pytest.raises(WorkspaceError, match="another run is at work"):
        ObjectLock(files, beat_s=0.1).acquire()
    with ObjectLock(files).hold():
        assert files.size("lock.json")
    assert files.size("lock.json") is None


def test_the_lock_of_a_dead_owner_is_taken_over(files: ObjectFiles) -> None:
    """Of a machine that has gone only its silence tells; who waits measures it by its own watch."""
    files.put("lock.json", b'{"owner": "x", "pid": 1, "host": "elsewhere", "born_at_s": 0, "beat": 1}')
    started = time.monotonic()

    with ObjectLock(files, beat_s=0.1, dead_after_s=0.5).hold():
        assert time.monotonic() - started >= 0.5
        assert b"elsewhere" not in (files.read_tagged("lock.json") or (b"", ""))[0]


@pytest.mark.usefixtures("heeded_signals")
def test_whoever_lost_its_lock_stops(files: ObjectFiles) -> None:
    """A process that was asleep for so long that another took over does not go on as if nothing had been."""

    def sleep_long() -> None:
        with ObjectLock(files, beat_s=0.05).hold():
            files.put("lock.json", b'{"owner": "y"}')
            time.sleep(60)

    with pytest.raises(WorkspaceError, match="taken over"):
        sleep_long()

    assert files.read_tagged("lock.json") is not None
