"""The dashboard shows a workspace at every stage, plays its recordings, and leaves it as it is."""

import io
import json
import re
import shutil
import signal
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
import soundfile
from fastapi.testclient import TestClient

from pipeline.store.workspace import Workspace
from tests.support import tiny
from tests.support.served import STAGES, client_of, cut_after, places_of_trial, recordings_of, started

SECTIONS = ("overview", "funnel", "scores", "yields", "listeners", "costs", "failures", "listening")


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_is_shown_at_every_stage(stage: str, workspace: Path) -> None:
    """From the first shard of the first table on, every section has something to say."""
    cut_after(workspace, stage)
    client = client_of(workspace)

    page = client.get("/")
    state = client.get("/state").json()

    assert page.status_code == 200
    assert set(SECTIONS) <= set(state["sections"])
    assert "stopped" in state["head"]
    for section in state["sections"]:
        assert f'<section id="{section}"' in page.text
        assert client.get(f"/sections/{section}").status_code == 200


def test_a_finished_run_says_so(client: TestClient) -> None:
    """With all its tickets, at no expense to what the report says."""
    head = client.get("/state").json()["head"]

    assert "finished" in head
    assert f"{tiny.TICKETS} of {tiny.TICKETS} tickets" in head


def test_scripts_and_styles_are_there_and_sent_once(client: TestClient) -> None:
    """A browser that has one asks whether it is still so, and gets no more than a yes."""
    pages = client.get("/").text + client.get("/listen").text
    names = sorted(set(re.findall(r'"(/assets/[^"]+)"', pages)))

    assert "/assets/plotly.min.js" in names
    for name in names:
        first = client.get(name)
        again = client.get(name, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert first.headers["cache-control"] == again.headers["cache-control"] == "no-cache"
        assert first.headers["x-content-type-options"] == "nosniff"


def test_an_empty_workspace_waits_for_its_run(tmp_path: Path) -> None:
    """Nothing is there, and all pages say so, whatever the folder is called."""
    folder = tmp_path / "<b>new"
    folder.mkdir()
    client = client_of(folder)

    assert "&lt;b&gt;new" in client.get("/").text
    assert client.get("/state").json() == {"head": "", "sections": {}}
    assert client.get("/sections/funnel").status_code == 404
    assert client.get("/listen").status_code == 200
    asked = {"trial": None, "judged": 0, "offered": 0, "listener": "Ann", "is_training": False}
    assert client.get("/listen/Ann").json() == asked
    assert client.post("/listen/Ann", json={"trial": "0", "choice": "a"}).status_code == 409
    assert list(folder.iterdir()) == []


def test_what_a_run_adds_is_shown_without_a_new_start(undisturbed: Path, workspace: Path) -> None:
    """Half a run, then the rest of it comes in: the same dashboard shows the whole."""
    cut_after(workspace, "restore")
    client = client_of(workspace)
    before = client.get("/state").json()
    shutil.copytree(undisturbed / "workspace", workspace, dirs_exist_ok=True)

    until = time.monotonic() + 60
    while "finished" not in (after := client.get("/state").json())["head"]:
        assert time.monotonic() < until
        time.sleep(0.2)

    assert before["sections"]["funnel"] != after["sections"]["funnel"]


def test_recordings_are_served_whole_and_in_parts(client: TestClient) -> None:
    """Every recording on the page is FLAC that decodes; parts are what they say they are."""
    urls = recordings_of(client)
    whole = client.get(urls[0])
    parts = [
        client.get(urls[0], headers={"Range": f"bytes={r}"}) for r in ("0-99", "100-", "-50", "0-99999999")
    ]
    beyond = client.get(urls[0], headers={"Range": f"bytes={len(whole.content)}-"})

    assert len(urls) >= 4
    for url in urls:
        assert soundfile.info(io.BytesIO(client.get(url).content)).format == "FLAC"
    size = len(whole.content)
    expected = (whole.content[:100], whole.content[100:], whole.content[-50:], whole.content)
    assert [part.content for part in parts] == list(expected)
    assert {part.status_code for part in parts} == {206}
    assert parts[1].headers["content-range"] == f"bytes 100-{size - 1}/{size}"
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert client.get(urls[0], headers={"Range": "bytes=0-1,5-6"}).content == whole.content


def test_looking_writes_nothing_and_holds_nothing(client: TestClient, workspace: Path) -> None:
    """Not a byte of the workspace changes, and a run could begin at any time."""
    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    for path in ("/", "/state", "/listen", "/listen/Ann", *places_of_trial(client), *recordings_of(client)):
        assert client.get(path).status_code == 200

    assert {path: path.stat().st_mtime_ns for path in workspace.rglob("*")} == before
    with Workspace(workspace).hold():
        assert client.get("/state").status_code == 200


def test_the_command_serves_until_it_is_interrupted(workspace: Path) -> None:
    """As a user would: any free port, its address printed, Ctrl-C ends it."""
    with started(workspace) as (process, address):
        with urlopen(f"{address}state", timeout=60) as answer:
            assert "finished" in json.load(answer)["head"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
