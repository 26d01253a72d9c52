"""What the dashboard does not tell, and whom it does not answer."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from fastapi.testclient import TestClient

from pipeline.dashboard.security import MOST_BODY_BYTES, hosts_of
from pipeline.dashboard.serve import dashboard_command
from pipeline.store.workspace import Workspace
from schemas import UserError, WorkspaceError
from tests.support.served import recordings_of, served

UP = ("..", "../..", "../../secret", "%2e%2e", "/etc", "..\\..", "\0", "")


@pytest.mark.parametrize("field", ["folder", "shard", "row", "part"])
@pytest.mark.parametrize("value", UP)
def test_audio_comes_from_the_runs_own_tables_alone(field: str, value: str, client: TestClient) -> None:
    """Each part of a recording's name is looked up; none is ever a path."""
    url = urlsplit(recordings_of(client)[0])
    asked = re.sub(rf"(?<={field}=)[^&]*", quote(value), url.query)

    answer = client.get(f"/audio?{asked}")

    assert answer.status_code in {404, 422}
    assert not answer.content.startswith(b"fLaC")


def test_other_tables_and_columns_are_no_recordings(client: TestClient, workspace: Path) -> None:
    """Scores, pools and columns beside the audio are not served, though the run has them."""
    names = [folder.name for folder in (workspace / "tables").iterdir()]
    url = recordings_of(client)[0]

    for name in names:
        other = re.sub(r"(?<=folder=)[^&]*", name, re.sub(r"(?<=part=)[^&]*", "id", url))
        assert client.get(other).status_code == 404
    scores = next(name for name in names if name.startswith("score."))
    assert client.get(re.sub(r"(?<=folder=)[^&]*", scores, url)).status_code == 404


@pytest.mark.parametrize("path", ["..%2fapp.py", "%2e%2e/app.py", "../app.py", "app.py", "listen.js%00"])
def test_no_other_file_is_served(path: str, client: TestClient) -> None:
    """Scripts and styles are a closed list."""
    assert client.get(f"/assets/{path}").status_code == 404
    assert client.get("/assets/listen.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9", 200),
        ("localhost", 200),
        ("[::1]:9", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("192.168.0.7:8000", 400),
    ],
)
def test_only_this_machines_names_are_answered(host: str, status: int, client: TestClient) -> None:
    """A name that somebody else points at this machine is refused."""
    assert client.get("/state", headers={"Host": host}).status_code == status


def test_pages_of_other_sites_get_nothing_and_send_nothing(client: TestClient, workspace: Path) -> None:
    """Neither scripts, forms nor players of another site; and no answer invites them."""
    vote = {"trial": client.get("/listen/Ann").json()["trial"], "choice": "a"}
    plain = {"Content-Type": "text/plain"}
    evil = {"Origin": "https://evil.example"}

    assert client.post("/listen/Ann", json=vote, headers=evil).status_code == 403
    assert client.post("/listen/Ann", json=vote, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/listen/Ann", content=json.dumps(vote), headers=plain).status_code == 422
    assert client.get(recordings_of(client)[0], headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/state", headers=evil).status_code == 403
    assert not [name for name in client.get("/").headers if name.startswith("access-control")]
    assert "frame-ancestors 'none'" in client.get("/").headers["content-security-policy"]
    assert not (workspace / "listening").exists()


def test_what_is_too_long_for_an_answer_is_not_read(client: TestClient, workspace: Path) -> None:
    """Nobody fills the memory of this machine: a length is asked for, and has a bound."""

    def of_unknown_length() -> Iterator[bytes]:
        yield b"{}"

    trial = client.get("/listen/Ann").json()["trial"]
    long = json.dumps({"trial": trial, "choice": "a", "more": "x" * MOST_BODY_BYTES})
    as_json = {"Content-Type": "application/json"}

    assert client.post("/listen/Ann", content=long, headers=as_json).status_code == 413
    assert client.post("/listen/Ann", content=of_unknown_length(), headers=as_json).status_code == 411
    assert not (workspace / "listening").exists()
    with served(workspace) as address:
        server = urlsplit(address)
        with socket.create_connection((server.hostname, server.port)) as line:
            line.sendall(
                f"POST /listen/Ann HTTP/1.1\r\nHost: {server.netloc}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {10**12}\r\n\r\n".encode()
            )
            assert b" 413 " in line.recv(1000).partition(b"\r\n")[0]


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fx", ".hidden", "x" * 33, "a%00b", "a%2fb"])
def test_a_listeners_name_is_no_path(name: str, client: TestClient, workspace: Path) -> None:
    """Whatever is sent as a name: no file but votes of people in the folder of votes."""
    answer = client.post(f"/listen/{name}", json={"trial": "0", "choice": "a"})

    assert answer.status_code in {404, 405, 422}
    assert not (workspace / "listening").exists()


def test_a_link_leads_no_vote_out_of_the_workspace(
    client: TestClient, workspace: Path, tmp_path: Path
) -> None:
    """A file that somebody put a link to in the place of votes stays as it is, and the answer says why."""
    outside = tmp_path / "outside"
    outside.write_text("as it was")
    (workspace / "listening").mkdir()
    (workspace / "listening" / "Ann.jsonl").symlink_to(outside)
    vote = {"trial": client.get("/listen/Ann").json()["trial"], "choice": "a"}

    answer = client.post("/listen/Ann", json=vote)

    assert answer.status_code == 503
    assert "no vote can be kept" in answer.text
    assert outside.read_text() == "as it was"


def test_other_machines_are_let_in_only_on_purpose(workspace: Path) -> None:
    """An address of the network needs a word more; and a typing mistake is no new workspace."""
    with pytest.raises(UserError, match="--open"):
        dashboard_command(Workspace(workspace), "0.0.0.0", 0, is_open=False)
    with pytest.raises(WorkspaceError, match="nowhere"):
        dashboard_command(Workspace(workspace / "nowhere"), "127.0.0.1", 0, is_open=False)
    assert "evil.example" not in hosts_of("0.0.0.0")
    assert "localhost" in hosts_of("0.0.0.0")
