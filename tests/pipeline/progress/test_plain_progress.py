"""What a log or a pipe sees of a run."""

import time

import pytest

from pipeline.progress.tally import TableTally, Tally
from pipeline.progress.view import PlainView


class Counted(Tally):
    """A tally of given tables, without the graph that they would come from."""

    def __init__(self, *tables: TableTally) -> None:
        self.tables = {table.name: table for table in tables}
        self.last = ""


def test_a_log_is_not_silent_while_nothing_finishes(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first ticket that it starts, between tickets how far it is."""
    with PlainView(quiet_s=0.05).running() as view:
        time.sleep(0.3)
        view.show(Counted(TableTally("ingest", num_tickets=4, done=1)))
        time.sleep(0.3)
    lines = capsys.readouterr().out.splitlines()
    time.sleep(0.2)

    assert lines[0] == "0:00  starting"
    assert "1/4 tickets" in lines[-1]
    assert not capsys.readouterr().out, "it ends with the run"


def test_a_line_postpones_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    """Where something is said, silence needs no breaking."""
    with PlainView(quiet_s=0.5).running() as view:
        for _ in range(10):
            view.say("at work")
            time.sleep(0.1)

    assert set(capsys.readouterr().out.splitlines()) == {"at work"}
