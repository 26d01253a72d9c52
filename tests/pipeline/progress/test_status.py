"""How far a workspace is, read while others may be at work in it."""

from pathlib import Path

import pytest

from pipeline.progress.status import RunStatus
from pipeline.progress.ticket_log import TicketLine, ticket_lines
from pipeline.store.line_log import LineLog
from pipeline.store.missing_values import missing_values, read_footer
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import Inventory, TableEntry
from schemas import Outcome, Reason, Score, Scored, Status, TakeScores

TABLE = "score.pesq.wiener-0123456789abcdef"
CRASHED = Outcome(status=Status.FAILED, reason=Reason.CRASHED, detail="exit -11").fields
ERROR = Outcome(status=Status.FAILED, reason=Reason.ERROR, detail="ValueError").fields


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    """Return a store with one shard: a row whose second take crashed its metric, a failed one, a good one."""
    good = Score(name="pesq", value=2.0)
    rows = [
        Scored(
            id="one",
            model="wiener",
            takes=(
                TakeScores(take=0, scores=(good,)),
                TakeScores(take=1, scores=(Score(name="pesq", **CRASHED),)),
            ),
        ),
        Scored(id="two", model="wiener", **ERROR),
        Scored(id="three", model="wiener", takes=(TakeScores(take=0, scores=(good,)),)),
    ]
    store = Workspace(tmp_path).store
    store.put(TABLE, "00000-a", Scored, rows, {})
    return store


def _inventory(*shards: str) -> Inventory:
    return Inventory(
        config_name="small",
        config_hash="0" * 16,
        dataset_key="1" * 16,
        started_at_s=1_000.0,
        tables=(TableEntry(name="score.pesq.wiener", folder=TABLE, shards="speech"),),
        shards={"speech": shards},
    )


def _line(shard: str, finished_at_s: float, work_s: float, load_s: float = 0.0) -> TicketLine:
    return TicketLine(
        table="score.pesq.wiener",
        folder=TABLE,
        shard=shard,
        finished_at_s=finished_at_s,
        takes=2,
        audio_s=30.0,
        inside_s=work_s,
        wall_s=work_s + load_s,
        load_s=load_s,
    )


def test_rows_that_luck_decided_are_named(store: TableStore) -> None:
    """A crash inside one take of a row that is otherwise well is found; an error is no luck."""
    (table,) = RunStatus(_inventory("00000-a"), store, ()).tables

    assert [(row.table, row.row, row.reason) for row in table.retryable] == [
        ("score.pesq.wiener", "one", Reason.CRASHED)
    ]
    assert table.counts == {"ok": 2, "failed/crashed": 1, "failed/error": 1}


def test_every_reason_in_a_shard_is_found(store: TableStore) -> None:
    """Reasons of rows and of the scores inside them."""
    found = {(end.row, end.reason) for end in missing_values(store, TABLE, "00000-a")}

    assert found == {("one", Reason.CRASHED), ("two", Reason.ERROR)}


def test_a_shard_that_goes_while_it_is_read_is_not_counted(store: TableStore) -> None:
    """A shard that was listed and then removed is simply not there."""
    store.remove(TABLE, "00000-a")

    assert read_footer(store, TABLE, "00000-a") is None
    assert list(missing_values(store, TABLE, "00000-a")) == []


def test_time_left_is_by_the_pace_of_this_run(store: TableStore) -> None:
    """One ticket of 8 s of work in 4 s since the start, three to go: two at once, 12 s."""
    inventory = _inventory("00000-a", "00001-b", "00002-c", "00003-d")

    status = RunStatus(inventory, store, [_line("00000-a", 1_004.0, work_s=8.0, load_s=5.0)])

    assert status.left_s() == pytest.approx(12.0)
    assert not status.is_computed


def test_time_left_is_not_guessed(store: TableStore) -> None:
    """Without a measured ticket, or with one of an earlier run only, there is nothing to say."""
    inventory = _inventory("00000-a", "00001-b")

    assert RunStatus(inventory, store, ()).left_s() is None
    assert RunStatus(inventory, store, [_line("00000-a", 900.0, work_s=8.0)]).left_s() is None


def test_a_torn_line_of_the_log_is_left_out(tmp_path: Path) -> None:
    """What was being written when the run was killed does not hide the lines before it."""
    whole = _line("00000-a", 1_004.0, work_s=8.0)
    (tmp_path / "tickets.jsonl").write_text(whole.model_dump_json() + "\n" + whole.model_dump_json()[:40])

    assert ticket_lines(LineLog(tmp_path / "tickets.jsonl")) == [whole]
    assert ticket_lines(LineLog(tmp_path / "none.jsonl")) == []
