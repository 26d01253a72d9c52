"""The tickets of files that are scored, as a worker on another machine gets them."""

import pickle
from pathlib import Path

import yaml

from pipeline.config.panel import resolve_panel
from pipeline.execution.board import Board, WorkerState
from pipeline.execution.ray.actor import TicketActor
from pipeline.execution.worker import TicketResult
from pipeline.panel.score_rows import walk_score_rows
from pipeline.sources.given_files import shards_of_given
from pipeline.store.workspace import Workspace
from pipeline.tables.given import given_graph_of
from tests.support.tiny import write_speech


def test_an_actor_does_them_by_name(tmp_path: Path) -> None:
    """All that it is handed goes through a pickle; files first, then their scores."""
    write_speech(tmp_path / "mine", ["a", "b"], seconds=0.8)
    (tmp_path / "panel.yaml").write_text(yaml.safe_dump({"metrics": [{"kind": "si_sdr"}]}))
    panel = resolve_panel(tmp_path / "panel.yaml")
    workspace = Workspace(tmp_path / "work")
    mine = str(tmp_path / "mine")
    shards = shards_of_given([mine], mine, workspace, 300.0, lambda _done, _total: None)
    graph = given_graph_of(panel.metrics, shards)
    board, worker = Board.of(graph, workspace.store), WorkerState()
    actor = TicketActor(workspace, panel.modules, pickle.dumps(graph), "cpu")

    names = []
    while (ticket := board.take(worker)) is not None:
        result = actor.run(ticket.place, (), alone=False)
        assert isinstance(result, TicketResult), result
        board.finish(ticket)
        names.append(ticket.name)

    assert names == ["given[0]", "score.si_sdr[0]"]
    assert board.num_left == 0
    rows = list(walk_score_rows(graph, workspace.store))
    assert [(row["item"], row["status"]) for row in rows] == [("a", "ok"), ("b", "ok")]
    assert all(row["si_sdr"] is not None for row in rows), "a file against itself"
