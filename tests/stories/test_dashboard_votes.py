"""The listening test of the dashboard: what listeners hear, and what becomes of their votes."""

import json
import shutil
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from fastapi.testclient import TestClient

from pipeline.cli.commands.listening import listening_command
from pipeline.listening.agreement import ListenerAgreement
from pipeline.store.workspace import Workspace
from schemas import Restored, WorkspaceError
from tests.support.served import HEARD, client_of, cut_after, places_of_trial, started, take_test


def test_a_listener_goes_on_where_they_stopped(client: TestClient, workspace: Path) -> None:
    """Also when the dashboard was started anew; an answer counts once, and in the end nothing is left."""
    answered = client.get("/listen/Ann").json()["trial"]
    first = take_test(client, "Ann", most=2)
    again = client.post("/listen/Ann", json={"trial": answered, "choice": "b"})
    rest = take_test(client_of(workspace), "Ann")

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
    places = places_of_trial(client)
    heard = dict(zip(HEARD, map(client.get, places), strict=True))
    headers = str([answer.headers for answer in heard.values()])
    told = [client.get("/listen").text, client.get("/listen/Ann").text, headers]
    take_test(client, "Ann", most=1)

    vote = json.loads((workspace / "listening" / "Ann.jsonl").read_text())
    assert heard["a"].content == _stored(workspace, vote, "a")
    assert heard["b"].content == _stored(workspace, vote, "b")
    digest, row = vote["a"]["digest"], vote["row"]
    for word in ("spectral_gate", "identity", "estoi", "chosen", "rejected", digest, row):
        assert all(word not in text for text in told)
    assert client.get(places[0]).status_code == 404
    assert client.get(places_of_trial(client)[0].replace("/a", "/chosen")).status_code == 422


def test_votes_are_reported(client: TestClient, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the page, as text and as JSON; before the first vote the command says where to vote."""
    with pytest.raises(WorkspaceError, match="nobody has voted"):
        listening_command(Workspace(workspace), as_json=False)
    given = take_test(client, "Ann")

    listening_command(Workspace(workspace), as_json=True)
    found = ListenerAgreement.model_validate_json(capsys.readouterr().out)
    listening_command(Workspace(workspace), as_json=False)
    text = capsys.readouterr().out
    (ann,) = found.listeners
    assert ann.trials == given
    assert (ann.first_side.share, found.outdated) == (1.0, 0)
    assert found.pairs.votes + sum(score.drawn.votes for score in found.scores) > 0
    assert f"Ann: {given} trial" in text
    page = client_of(workspace).get("/sections/listeners").text
    assert "Do listeners agree?" in page
    assert "No two listeners were asked the same by now." in page
    take_test(client, "Ben")
    assert "Two listeners who were asked the same" in client_of(workspace).get("/sections/listeners").text


def test_votes_on_what_was_made_anew_are_set_aside(client: TestClient, workspace: Path) -> None:
    """A vote is about the audio that was heard: with another digest in the tables it is outdated."""
    take_test(client, "Ann", most=1)
    path = workspace / "listening" / "Ann.jsonl"
    vote = json.loads(path.read_text())
    vote["a"]["digest"] = "0" * 64
    path.write_text(json.dumps(vote) + "\n")

    assert (
        "1 vote on audio that is not there any more" in client_of(workspace).get("/sections/listeners").text
    )


def test_an_answer_that_was_taken_survives_a_kill(workspace: Path) -> None:
    """The dashboard is killed as soon as it has answered: the vote is there, and the test goes on from it."""
    with started(workspace) as (process, address):
        with urlopen(f"{address}listen/Ann", timeout=60) as answer:
            trial = json.load(answer)["trial"]
        vote = json.dumps({"trial": trial, "choice": "b"}).encode()
        asked = Request(f"{address}listen/Ann", vote, {"Content-Type": "application/json"})
        with urlopen(asked, timeout=60) as answer:
            judged = json.load(answer)["judged"]
            process.kill()

    assert client_of(workspace).get("/listen/Ann").json()["judged"] == judged == 1
