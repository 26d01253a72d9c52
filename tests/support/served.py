"""The dashboard of a tiny run: asked in this process, and served to a browser."""

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import uvicorn
from fastapi.testclient import TestClient

from pipeline.dashboard.app import dashboard_of
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import Inventory
from tests.support import tiny

STAGES = ("pool", "ingest", "plan", "degrade", "restore", "score", "prefer")
HEARD = ("a", "b", "clean", "degraded")


def client_of(workspace: Path | Workspace) -> TestClient:
    """Return a client that asks as a browser at this machine would."""
    opened = Workspace(workspace) if isinstance(workspace, Path) else workspace
    return TestClient(dashboard_of(opened), base_url="http://127.0.0.1:8000")


def cut_after(workspace: Path, stage: str) -> None:
    """Leave what a run has made by the time at which ``stage`` has its first shard."""
    found = Inventory.read(Workspace(workspace).inventory)
    assert found is not None
    for table in found.tables:
        place = STAGES.index(table.name.partition(".")[0])
        shards = sorted((workspace / "tables" / table.folder).glob("*.parquet"))
        if place < STAGES.index(stage):
            continue
        for shard in shards[1:] if place == STAGES.index(stage) else shards:
            shard.unlink()
    shutil.rmtree(workspace / "dataset", ignore_errors=True)
    (workspace / "audit.json").unlink(missing_ok=True)


def recordings_of(client: TestClient) -> list[str]:
    """Return where the front page finds its recordings."""
    return [unescape(url) for url in re.findall(r'data-source="(/audio[^"]+)"', client.get("/").text)]


def places_of_trial(client: TestClient) -> list[str]:
    """Return where Ann's browser finds the recordings of her trial."""
    trial = client.get("/listen/Ann").json()["trial"]
    return [f"/listen/Ann/{trial}/{what}" for what in HEARD]


def take_test(client: TestClient, listener: str, most: int = 1000) -> int:
    """Answer up to ``most`` trials, and return how many there were."""
    question = client.get(f"/listen/{listener}").json()
    given = 0
    while question["trial"] is not None and given < most:
        answer = client.post(f"/listen/{listener}", json={"trial": question["trial"], "choice": "a"})
        assert answer.status_code == 200
        question = answer.json()
        given += 1
    return given


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """Serve the dashboard on a free port, and give its address."""
    server = uvicorn.Server(uvicorn.Config(dashboard_of(Workspace(workspace)), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def started(workspace: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the dashboard as a user would, and give the process and the address that it prints."""
    command = [sys.executable, "-m", "pipeline", "dashboard", str(workspace), "--port", "0"]
    with subprocess.Popen(command, cwd=tiny.ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
            assert found is not None
            yield process, found[0]
        finally:
            process.kill()
