"""People who are invited to listen: links of their own, hidden references, and votes as a table."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from pipeline.store.workspace import Workspace
from schemas import ConfigError, UserError, WorkspaceError
from tests.support import tiny
from tests.support.in_process import typed_here
from tests.support.listeners import write_ratings
from tests.support.served import client_of, take_test


def _invite(workspace: Path, *names: str, training: int = 1, reference_every: int = 3) -> dict[str, str]:
    """Invite listeners, and return the token of each."""
    words = [word for name in names for word in ("--invite", name)]
    plan = ("--training", str(training), "--reference-every", str(reference_every))
    printed = typed_here("listening", workspace, *words, *plan, "--address", "http://here:1/")
    links = dict(line.split("\t") for line in printed.splitlines())
    assert all(link.startswith("http://here:1/listen?invitation=") for link in links.values())
    return {name: link.partition("=")[2] for name, link in links.items()}


def _lines(workspace: Path, listener: str) -> list[dict[str, object]]:
    """Return what is kept of a listener's votes."""
    text = (workspace / "listening" / f"{listener}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_only_who_has_a_link_votes_once_anybody_is_invited(workspace: Path, client: TestClient) -> None:
    """Answers of a link are its listener's; nobody votes under another's name; links stay what they are."""
    tokens = _invite(workspace, "Ann", "Ben")

    asked = client.get(f"/listen/{tokens['Ann']}").json()
    refused = [client.get(f"/listen/{name}").status_code for name in ("Ann", "Zoe", "0" * 24)]
    take_test(client, tokens["Ann"], most=2)

    assert (asked["listener"], asked["is_training"]) == ("Ann", True)
    assert refused == [403] * 3
    assert client.post("/listen/Ann", json={"trial": asked["trial"], "choice": "a"}).status_code == 403
    assert [line["listener"] for line in _lines(workspace, "Ann")] == ["Ann", "Ann"]
    assert client.get(f"/listen/{tokens['Ben']}").json()["judged"] == 0
    assert _invite(workspace, "Ben", "Cleo").items() >= tokens.items()
    with pytest.raises(UserError, match=r"--invite '\.\./x': .*a listener's name has"):
        typed_here("listening", workspace, "--invite", "../x")


def test_hidden_references_are_heard_and_not_told_apart(workspace: Path) -> None:
    """Their sides are the clean speech and the damaged input; nothing that the browser is told says so."""
    client = client_of(workspace)
    token = _invite(workspace, "Ann")["Ann"]
    keys: set[frozenset[str]] = set()
    heard: list[tuple[bytes, ...]] = []
    while (asked := client.get(f"/listen/{token}").json())["trial"] is not None:
        keys.add(frozenset(asked))
        place = f"/listen/{token}/{asked['trial']}"
        heard.append(tuple(client.get(f"{place}/{what}").content for what in ("a", "b", "clean", "degraded")))
        client.post(f"/listen/{token}", json={"trial": asked["trial"], "choice": "a"})

    votes = _lines(workspace, "Ann")
    purposes = [vote.get("purpose", "vote") for vote in votes]
    assert len(keys) == 1
    assert purposes[0] == "training"
    assert "reference" in purposes
    for purpose, (a, b, clean, degraded) in zip(purposes, heard, strict=True):
        assert ({a, b} == {clean, degraded}) is (purpose != "vote")
    printed = typed_here("listening", workspace)
    assert "Krippendorff's alpha between listeners: no two" in printed
    assert "clean speech found in" in printed


def test_votes_are_a_table_and_can_be_taken_in_again(workspace: Path, tmp_path: Path) -> None:
    """All of them with what they are in Parquet; in a CSV what counts, which can be taken in elsewhere."""
    client = client_of(workspace)
    take_test(client, "Ann")
    take_test(client, "Ben", most=3)
    table, ratings = tmp_path / "votes.parquet", tmp_path / "votes.csv"
    typed_here("listening", workspace, "--out", table)
    typed_here("listening", workspace, "--out", ratings)
    said = typed_here("audit", workspace, "--human", ratings)
    for file in (workspace / "listening").glob("*.jsonl"):
        file.unlink()

    typed_here("listening", workspace, "--import", ratings)

    rows = pq.read_table(table).to_pylist()
    kept = {row["pair_id"]: row for row in pq.read_table(workspace / "dataset" / "pairs").to_pylist()}
    names = {row["candidate_id"] for row in pq.read_table(workspace / "dataset" / "scores").to_pylist()}
    assert [row["listener"] for row in rows] == sorted(row["listener"] for row in rows)
    assert {side for row in rows for side in (row["a"], row["b"])} <= names
    assert all(row["is_there"] for row in rows)
    for row in (row for row in rows if row["pair_id"] is not None):
        pair = kept[row["pair_id"]]
        chosen = f"{pair['degraded_id']}/{pair['chosen_model']}/{pair['chosen_take']}"
        assert row["prefers_chosen"] == (row[row["preferred"]] == chosen)
    again = [line for name in ("Ann", "Ben") for line in _lines(workspace, name)]
    assert len(again) == len([row for row in rows if not row["is_repeat"]])
    assert [line["choice"] for line in again] == [row["preferred"] for row in rows if not row["is_repeat"]]
    assert "votes.csv" in said


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        (
            "a,b,preferred,listener",
            ("{a}", "nobody/x/0", "a", "Ann"),
            "line 2: there is no restoration 'nobody/x/0'",
        ),
        ("a,b,preferred,listener", ("{a}", "{b}", "a", ""), "line 2: 'listener' is empty"),
        (
            "a,b,preferred,listener",
            ("{a}", "{b}", "a", "../x"),
            r"line 2: .*a listener's name has .*'\.\./x'",
        ),
        ("pair_id,preferred,listener", ("none/0", "chosen", "Ann"), "line 2: there is no pair 'none/0'"),
        ("candidate_id,mos,listener", ("{a}", "3", "Ann"), "line 2: opinion scores are no votes"),
    ],
)
def test_what_cannot_be_a_vote_is_named_by_its_line(
    columns: str, row: tuple[str, ...], message: str, undisturbed: Path, tmp_path: Path
) -> None:
    """And nothing is taken in."""
    workspace = undisturbed / "workspace"
    scores = pq.read_table(workspace / "dataset" / "scores").to_pylist()
    a, b = [r["candidate_id"] for r in scores if r["degraded_id"] == scores[0]["degraded_id"]][:2]
    file = write_ratings(tmp_path / "r.csv", columns, [[cell.format(a=a, b=b) for cell in row]])

    with pytest.raises(ConfigError, match=message):
        typed_here("listening", workspace, "--import", file)

    assert not Workspace(workspace).votes.all()


def test_a_listener_who_has_voted_is_not_taken_in_twice(finished: tiny.Finished, tmp_path: Path) -> None:
    """The file and the name: all of the file stays out."""
    take_test(client_of(finished.workspace), "Ann", most=1)
    out = tmp_path / "votes.csv"
    typed_here("listening", finished.workspace, "--out", out)

    with pytest.raises(WorkspaceError, match=r"votes\.csv: 'Ann' has voted in .* already"):
        typed_here("listening", finished.workspace, "--import", out)
