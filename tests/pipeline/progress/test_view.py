"""What a run says of its own pace."""

import pytest

from pipeline.progress.tally import TableTally, Tally
from pipeline.progress.view import remaining_s, speech_speed
from pipeline.text import format_clock


class Counted(Tally):
    """A tally of given tables, without the graph that they would come from."""

    def __init__(self, *tables: TableTally) -> None:
        self.tables = {table.name: table for table in tables}


def _table(name: str, num_tickets: int, fresh: int, **measured: float) -> TableTally:
    return TableTally(name, num_tickets, done=fresh, fresh=fresh, **measured)


def test_time_left_follows_what_tickets_cost_and_how_many_go_at_once() -> None:
    """Two of four cheap and one of three dear tickets took 12 s of work in 6 s: two workers, 11 s to go."""
    tally = Counted(
        _table("cheap", 4, fresh=2, wall_s=2.0),
        _table("dear", 3, fresh=1, wall_s=10.0),
    )

    assert remaining_s(tally, elapsed_s=6.0) == pytest.approx((2 * 1.0 + 2 * 10.0) / 2)


def test_loading_a_model_is_paid_once() -> None:
    """A first ticket that brought in a model for 9 s says that the next ones take 1 s."""
    tally = Counted(_table("model", 5, fresh=1, wall_s=10.0, load_s=9.0))

    assert remaining_s(tally, elapsed_s=1.0) == pytest.approx(4.0)


def test_nothing_is_guessed_of_a_table_without_tickets() -> None:
    """Until every unfinished table has had a ticket there is no time left to be said."""
    tally = Counted(_table("begun", 4, fresh=2, wall_s=2.0), _table("waiting", 4, fresh=0))

    assert remaining_s(tally, elapsed_s=2.0) is None


def test_a_run_that_goes_on_knows_the_pace_of_the_one_before() -> None:
    """What tickets took earlier stands in until this run has done some."""
    waiting = _table("waiting", 4, fresh=0)
    waiting.earlier_s = 3.0
    tally = Counted(_table("begun", 4, fresh=2, wall_s=2.0), waiting)

    assert remaining_s(tally, elapsed_s=2.0) == pytest.approx(2 * 1.0 + 4 * 3.0)


def test_a_table_that_an_earlier_run_finished_costs_nothing() -> None:
    """Tickets that were there at the start are neither work done nor work left."""
    there = TableTally("there", num_tickets=4, done=4)
    tally = Counted(there, _table("begun", 4, fresh=2, wall_s=2.0))

    assert remaining_s(tally, elapsed_s=1.0) == pytest.approx(1.0)


def test_speed_is_of_speech_through_the_whole_chain() -> None:
    """60 s of speech through half of the tables in 10 s: 3 s per second. Tables of sources do not count."""
    tally = Counted(
        _table("ingest", 1, fresh=1),
        _table("pool.noise.0", 1, fresh=1),
        _table("degrade", 1, fresh=1, audio_s=60.0),
        _table("prefer", 1, fresh=0),
    )

    assert speech_speed(tally, elapsed_s=10.0) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0:00"), (59.6, "1:00"), (123, "2:03"), (3_723, "1:02:03"), (90_000, "25:00:00")],
)
def test_clock(seconds: float, said: str) -> None:
    """Minutes and seconds, with hours where there are any."""
    assert format_clock(seconds) == said
