"""What counts towards the failure budget: rows, and of restorations and scores every take."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.config.resolve import resolve
from pipeline.execution.worker import TicketResult
from pipeline.progress.tally import Tally
from pipeline.store.table_store import counts_of
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.tables.tickets import Ticket
from schemas import (
    BudgetExceededError,
    Outcome,
    Reason,
    Restored,
    Row,
    Score,
    Scored,
    Status,
    Take,
    TakeScores,
)
from tests.support import tiny

BROKEN = Outcome(status=Status.FAILED, reason=Reason.ERROR).fields
NOTHING = Outcome(status=Status.SKIPPED, reason=Reason.NO_VALUE_UPSTREAM).fields
GOOD, BAD = Score(name="mos", value=3.0), Score(name="mos_noise", **BROKEN)


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    """Return the graph of a run of four clips in two shards, before anything is done."""
    tiny.write_speech(tmp_path / "speech", ["a", "b", "c", "d"])
    config = tiny.write_config(tmp_path, tiny.tiny_config(tmp_path / "speech"))
    return assemble(resolve(config), Workspace(tmp_path / "workspace"))


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        (
            Restored(id="a", model="m", takes=(Take(take=0), Take(take=1, **BROKEN))),
            {"ok": 1, "failed/error": 1},
        ),
        (
            Scored(
                id="a",
                model="m",
                takes=(TakeScores(take=0, scores=(GOOD, GOOD)), TakeScores(take=1, scores=(GOOD, BAD))),
            ),
            {"ok": 1, "failed/error": 1},
        ),
        (Restored(id="a", model="m", **NOTHING), {"skipped/no_value_upstream": 1}),
        (Scored(id="a", model="m", **NOTHING), {"skipped/no_value_upstream": 1}),
    ],
)
def test_every_take_counts(row: Row, counts: Mapping[str, int]) -> None:
    """A take with one score that broke has failed, whatever else its row holds; without takes, the row."""
    assert counts_of([row]) == counts


def test_a_metric_that_breaks_on_half_of_the_takes_stops_the_run(graph: Graph) -> None:
    """Though every row of it has a value; the message says what was counted."""
    rows = [
        Scored(
            id=str(number),
            model="m",
            takes=(TakeScores(take=0, scores=(GOOD,)), TakeScores(take=1, scores=(BAD,))),
        )
        for number in range(20)
    ]
    table = graph.scores[0]
    result = TicketResult(counts_of(rows), audio_s=20.0, inside_s=1.0, wall_s=1.0)

    with pytest.raises(BudgetExceededError, match=rf"20 of 40 takes of {table.name} failed.*error × 20"):
        Tally(graph, 0.1).add(Ticket(table, graph.shards[0]), result)

    Tally(graph, 0.5).add(Ticket(table, graph.shards[0]), result)
