"""Which ticket is given out next: the most urgent of those that are ready, however many there are."""

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.execution.board import OPEN_SHARDS, Board, WorkerState
from pipeline.tables.tickets import CPU, ShardPlace, Ticket, shard_number_of
from stages.operators.rng import rng_for
from tests.support.simulated_tables import simulated_tables, simulated_tickets

CLASSES = (CPU, CPU, CPU, "gpu:0.5", None)


def most_urgent(
    tickets: Sequence[Ticket],
    gone: set[ShardPlace],
    done: set[ShardPlace],
    took: dict[str, float],
    worker: WorkerState,
) -> Ticket | None:
    """Return what is to be given out, by looking at every ticket: what the order means."""
    waiting = [ticket for ticket in tickets if ticket.place not in gone]
    oldest = sorted({shard_number_of(ticket) for ticket in waiting})[:OPEN_SHARDS]
    ready = [
        (index, ticket)
        for index, ticket in enumerate(waiting)
        if shard_number_of(ticket) in oldest
        and worker.resource in {None, ticket.resource}
        and ticket.needs <= done
    ]
    return min(
        ready,
        default=(0, None),
        key=lambda found: (
            shard_number_of(found[1]) != 0,
            found[1].table.stage_name not in worker.loaded,
            shard_number_of(found[1]),
            -took.get(found[1].table.stage_name, 0.0),
            not found[1].needs & worker.last_read,
            found[0],
        ),
    )[1]


@pytest.mark.parametrize("seed", range(3))
def test_it_gives_out_what_looking_at_every_ticket_finds(seed: int) -> None:
    """Five workers of several classes, tickets of drawn lengths, over more shards than are open at a time."""
    rng = rng_for(seed, "board")
    tickets = simulated_tickets(simulated_tables(2, 2, gpus=0.5), 40)
    board, workers = Board(tickets, ()), [WorkerState(resource) for resource in CLASSES]
    gone: set[ShardPlace] = set()
    done: set[ShardPlace] = set()
    took: dict[str, float] = {}
    busy: dict[int, Ticket] = {}
    while board.num_left:
        number = int(rng.integers(len(workers)))
        if (finished := busy.pop(number, None)) is not None:
            took_s = float(np.round(rng.exponential(), 1))
            board.finish(finished, took_s)
            done.add(finished.place)
            took[finished.table.stage_name] = took_s
        expected = most_urgent(tickets, gone, done, took, workers[number])
        ticket = board.take(workers[number])
        assert ticket is expected
        if ticket is not None:
            gone.add(ticket.place)
            workers[number].notice(ticket)
            busy[number] = ticket

    assert done == {ticket.place for ticket in tickets}


def test_a_ticket_that_is_given_back_is_given_out_again() -> None:
    """It is counted as waiting, whoever has taken the rest of its shard."""
    (ticket, *_) = tickets = simulated_tickets(simulated_tables(1, 1), 1)
    board = Board(tickets, ())
    assert board.take(WorkerState()) is ticket
    assert board.take(WorkerState()) is None

    board.give_back(ticket)

    assert board.count_waiting()[CPU] == len(tickets) == board.num_left
    assert board.count_ready() == {CPU: 1}
    assert board.take(WorkerState()) is ticket
    board.finish(ticket)
    assert board.is_done(ticket)
    assert board.num_left == len(tickets) - 1


def test_as_many_shards_are_open_as_keep_all_workers_busy() -> None:
    """Of a thousand workers none waits while shards do that nobody has begun."""
    board = Board(simulated_tickets(simulated_tables(1, 1), 1_000), ())

    taken = [board.take(WorkerState()) for _ in range(1_000)]

    assert None not in taken
