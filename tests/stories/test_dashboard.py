"""The dashboard shows a workspace at every stage, plays its recordings, takes votes, and tells no more."""

import io
import json
import re
import shutil
import signal
import time
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import pytest
import soundfile
import tiny
from fastapi.testclient import TestClient
from served import STAGES, client_of, cut_after, started

from pipeline.commands.dashboard import dashboard_command
from pipeline.commands.listening import listening_command
from pipeline.dashboard.security import hosts_of
from pipeline.listening.agreement import Agreement
from pipeline.workspace import Workspace
from schemas import Restored, UserError, WorkspaceError

SECTIONS = ("overview", "funnel", "scores", "yields", "listeners", "costs", "failures", "listening")


@pytest.fixture
def workspace(undisturbed: Path, tmp_path: Path) -> Path:
    """Return a finished workspace of one's own."""
    return Path(shutil.copytree(undisturbed / "workspace", tmp_path / "workspace"))


@pytest.fixture
def client(workspace: Path) -> TestClient:
    """Return a client of a finished workspace."""
    return client_of(workspace)


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


def test_an_empty_workspace_waits_for_its_run(tmp_path: Path) -> None:
    """Nothing is there, and all pages say so, whatever the folder is called."""
    folder = tmp_path / "<b>new"
    folder.mkdir()
    client = client_of(folder)

    assert "&lt;b&gt;new" in client.get("/").text
    assert client.get("/state").json() == {"head": "", "sections": {}}
    assert client.get("/sections/funnel").status_code == 404
    assert client.get("/listen").status_code == 200
    assert client.get("/listen/Ann").json() == {"trial": None, "judged": 0, "offered": 0}
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


def _recordings(client: TestClient) -> list[str]:
    return [unescape(url) for url in re.findall(r'data-source="(/audio[^"]+)"', client.get("/").text)]


def test_recordings_are_served_whole_and_in_parts(client: TestClient) -> None:
    """Every recording on the page is FLAC that decodes; parts are what they say they are."""
    urls = _recordings(client)
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


UP = ("..", "../..", "../../secret", "%2e%2e", "/etc", "..\\..", "\0", "")


@pytest.mark.parametrize("field", ["folder", "shard", "row", "part"])
@pytest.mark.parametrize("value", UP)
def test_audio_comes_from_the_runs_own_tables_alone(field: str, value: str, client: TestClient) -> None:
    """Each part of a recording's name is looked up; none is ever a path."""
    url = urlsplit(_recordings(client)[0])
    asked = re.sub(rf"(?<={field}=)[^&]*", quote(value), url.query)

    answer = client.get(f"/audio?{asked}")

    assert answer.status_code in {404, 422}
    assert not answer.content.startswith(b"fLaC")


def test_other_tables_and_columns_are_no_recordings(client: TestClient, workspace: Path) -> None:
    """Scores, pools and columns beside the audio are not served, though the run has them."""
    names = [folder.name for folder in (workspace / "tables").iterdir()]
    url = _recordings(client)[0]

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
    assert client.get(_recordings(client)[0], headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/state", headers=evil).status_code == 403
    assert not [name for name in client.get("/").headers if name.startswith("access-control")]
    assert "frame-ancestors 'none'" in client.get("/").headers["content-security-policy"]
    assert not (workspace / "listening").exists()


HEARD = ("a", "b", "clean", "degraded")


def _heard(client: TestClient) -> list[str]:
    """Return where Ann's browser finds the recordings of her trial."""
    trial = client.get("/listen/Ann").json()["trial"]
    return [f"/listen/Ann/{trial}/{what}" for what in HEARD]


def test_looking_writes_nothing_and_holds_nothing(client: TestClient, workspace: Path) -> None:
    """Not a byte of the workspace changes, and a run could begin at any time."""
    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*")}
    for path in ("/", "/state", "/listen", "/listen/Ann", *_heard(client), *_recordings(client)):
        assert client.get(path).status_code == 200

    assert {path: path.stat().st_mtime_ns for path in workspace.rglob("*")} == before
    with Workspace(workspace).held():
        assert client.get("/state").status_code == 200


def _take_test(client: TestClient, listener: str, most: int = 1000) -> int:
    """Answer up to ``most`` trials, and return how many there were."""
    question = client.get(f"/listen/{listener}").json()
    given = 0
    while question["trial"] is not None and given < most:
        answer = client.post(f"/listen/{listener}", json={"trial": question["trial"], "choice": "a"})
        assert answer.status_code == 200
        question = answer.json()
        given += 1
    return given


def test_a_listener_goes_on_where_they_stopped(client: TestClient, workspace: Path) -> None:
    """Also when the dashboard was started anew; an answer counts once, and in the end nothing is left."""
    answered = client.get("/listen/Ann").json()["trial"]
    first = _take_test(client, "Ann", most=2)
    again = client.post("/listen/Ann", json={"trial": answered, "choice": "b"})
    rest = _take_test(client_of(workspace), "Ann")

    question = client.get("/listen/Ann").json()
    lines = (workspace / "listening" / "Ann.jsonl").read_text().splitlines()
    assert (first, again.status_code) == (2, 409)
    assert (question["trial"], question["judged"], len(lines)) == (None, first + rest, first + rest)
    assert question["offered"] <= first + rest
    assert client.get("/listen/Ben").json()["judged"] == 0


def _stored(workspace: Path, vote: dict[str, Any], side: str) -> bytes:
    """Return the recording that a vote names, out of the tables."""
    store = Workspace(workspace).store
    (folder,) = (workspace / "tables").glob(f"restore.{vote[side]['model']}-*")
    rows = [row for shard in store.shards(folder.name) for row in store.read(folder.name, shard, Restored)]
    takes = next(row.takes for row in rows if row.id == vote["row"])
    audio = takes[vote[side]["take"]].audio
    assert audio is not None
    return audio.flac


def test_a_run_that_goes_on_does_not_change_what_somebody_is_listening_to(
    undisturbed: Path, workspace: Path
) -> None:
    """Listeners are asked something of half a run; when all is there, their answers are still about that."""
    cut_after(workspace, "prefer")
    client = client_of(workspace)
    names = [f"listener {number}" for number in range(12)]
    asked = {name: client.get(f"/listen/{name}").json() for name in names}
    heard = {name: client.get(f"/listen/{name}/{asked[name]['trial']}/a").content for name in names}
    shutil.copytree(undisturbed / "workspace", workspace, dirs_exist_ok=True)
    until = time.monotonic() + 60
    while client.get("/listen/other").json()["offered"] == asked[names[0]]["offered"]:
        assert time.monotonic() < until
        time.sleep(0.2)

    for name in names:
        answer = client.post(f"/listen/{name}", json={"trial": asked[name]["trial"], "choice": "a"})
        vote = json.loads((workspace / "listening" / f"{name}.jsonl").read_text())
        assert answer.status_code == 200
        assert heard[name] == _stored(workspace, vote, "a")


def test_a_listener_hears_what_is_stored_and_learns_nothing_of_it(
    client: TestClient, workspace: Path
) -> None:
    """A and B are the stored bytes of what the vote then names; only the trial at hand can be heard."""
    places = _heard(client)
    heard = dict(zip(HEARD, map(client.get, places), strict=True))
    headers = str([answer.headers for answer in heard.values()])
    told = [client.get("/listen").text, client.get("/listen/Ann").text, headers]
    _take_test(client, "Ann", most=1)

    vote = json.loads((workspace / "listening" / "Ann.jsonl").read_text())
    assert heard["a"].content == _stored(workspace, vote, "a")
    assert heard["b"].content == _stored(workspace, vote, "b")
    digest, row = vote["a"]["digest"], vote["row"]
    for word in ("spectral_gate", "identity", "estoi", "chosen", "rejected", digest, row):
        assert all(word not in text for text in told)
    assert client.get(places[0]).status_code == 404
    assert client.get(_heard(client)[0].replace("/a", "/chosen")).status_code == 422


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fx", ".hidden", "x" * 33, "a%00b", "a%2fb"])
def test_a_listeners_name_is_no_path(name: str, client: TestClient, workspace: Path) -> None:
    """Whatever is sent as a name: no file but votes of people in the folder of votes."""
    answer = client.post(f"/listen/{name}", json={"trial": "0", "choice": "a"})

    assert answer.status_code in {404, 405, 422}
    assert not (workspace / "listening").exists()


def test_votes_are_reported(client: TestClient, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the page, as text and as JSON; before the first vote the command says where to vote."""
    with pytest.raises(WorkspaceError, match="nobody has voted"):
        listening_command(Workspace(workspace), as_json=False)
    given = _take_test(client, "Ann")

    listening_command(Workspace(workspace), as_json=True)
    found = Agreement.model_validate_json(capsys.readouterr().out)
    listening_command(Workspace(workspace), as_json=False)
    text = capsys.readouterr().out
    (ann,) = found.listeners
    assert ann.trials == given
    assert (ann.first_side.share, found.outdated) == (1.0, 0)
    assert found.pairs.votes + sum(score.drawn.votes for score in found.scores) > 0
    assert f"Ann: {given} trial" in text
    assert "Do listeners agree?" in client_of(workspace).get("/sections/listeners").text


def test_votes_on_what_was_made_anew_are_set_aside(client: TestClient, workspace: Path) -> None:
    """A vote is about the audio that was heard: with another digest in the tables it is outdated."""
    _take_test(client, "Ann", most=1)
    path = workspace / "listening" / "Ann.jsonl"
    vote = json.loads(path.read_text())
    vote["a"]["digest"] = "0" * 64
    path.write_text(json.dumps(vote) + "\n")

    assert (
        "1 vote on audio that is not there any more" in client_of(workspace).get("/sections/listeners").text
    )


def test_the_command_serves_until_it_is_interrupted(workspace: Path) -> None:
    """As a user would: any free port, its address printed, Ctrl-C ends it."""
    with started(workspace) as (process, address):
        with urlopen(f"{address}state", timeout=60) as answer:
            assert "finished" in json.load(answer)["head"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_an_answer_that_was_taken_survives_a_kill(workspace: Path) -> None:
    """The dashboard is killed as soon as it has answered: the vote is there, and the test goes on from it."""
    with started(workspace) as (process, address):
        with urlopen(f"{address}listen/Ann", timeout=60) as answer:
            trial = json.load(answer)["trial"]
        vote = json.dumps({"trial": trial, "choice": "b"}).encode()
        asked = Request(f"{address}listen/Ann", vote, {"Content-Type": "application/json"})
        with urlopen(asked, timeout=60) as answer:
            process.kill()
            assert json.load(answer)["judged"] == 1

    assert client_of(workspace).get("/listen/Ann").json()["judged"] == 1


def test_other_machines_are_let_in_only_on_purpose(workspace: Path) -> None:
    """An address of the network needs a word more; and a typing mistake is no new workspace."""
    with pytest.raises(UserError, match="--open"):
        dashboard_command(Workspace(workspace), "0.0.0.0", 0, is_open=False)
    with pytest.raises(WorkspaceError, match="there is no workspace"):
        dashboard_command(Workspace(workspace / "nowhere"), "127.0.0.1", 0, is_open=False)
    assert "evil.example" not in hosts_of("0.0.0.0")
    assert "localhost" in hosts_of("0.0.0.0")
