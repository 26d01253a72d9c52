"""How well the order of work keeps many workers busy, and what it costs: the real board, simulated workers.

    PYTHONPATH=. python tests/benchmarks/scheduling.py [--workers 1000] [--tickets 1000000] [--models 4]

Tickets last as long as is drawn (log-normal, each table's median its own); nothing is made, and no process is
started: what Ray and the network add is not in here. Every worker asks for a ticket as soon as its last one
is done. 'busy' is the share of the workers' time from the first ticket until the last one is given out.
"""

import argparse
import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.execution.board import Board, WorkerState
from pipeline.execution.peak_memory import forget_peaks, peak_bytes
from pipeline.execution.ray.scaling import Capacity, classes_to_release
from pipeline.tables.tickets import CPU, Ticket
from pipeline.text import format_bytes, say
from stages.operators.rng import rng_for
from tests.support.simulated_tables import simulated_tables, simulated_tickets

SPREAD = 0.5
"""Standard deviation of the logarithm of a duration."""


@dataclass
class Simulated:
    """What a run came to."""

    busy_s: float = 0.0
    ended_at_s: float = 0.0
    waited_at_s: float = 0.0
    """When there was nothing left that had not been given out."""
    busy_until_then_s: float = 0.0


def main() -> None:
    """Print what one run came to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=4)
    parser.add_argument("--metrics", type=int, default=3)
    options = parser.parse_args()
    tables = simulated_tables(options.models, options.metrics)
    tickets = simulated_tickets(tables, options.tickets // len(tables))
    say(f"{len(tickets):,} tickets of {len(tables)} tables, {options.workers:,} workers")
    forget_peaks()
    started = time.process_time()
    board = Board(tickets, ())
    before = peak_bytes()
    say(f"board     {time.process_time() - started:.1f} s of CPU, {format_bytes(before)} with all tickets")
    started = time.process_time()
    found = simulate(
        board, options.workers, dict(zip((t.folder for t in tables), _medians(len(tables)), strict=True))
    )
    cpu_s = time.process_time() - started
    share = found.busy_until_then_s / (options.workers * found.waited_at_s)
    whole = found.busy_s / (options.workers * found.ended_at_s)
    say(f"busy      {share:.1%} until the last ticket was given out, {whole:.1%} to the end")
    say(f"driver    {1000 * cpu_s / len(tickets):.3f} ms of CPU per ticket, simulation included")
    say(f"memory    {format_bytes(peak_bytes() - before)} more than at the beginning")


def simulate(board: Board, num_workers: int, medians: dict[str, float]) -> Simulated:
    """Do all tickets of a board as the executor does, by a clock that jumps."""
    workers = [WorkerState(CPU) for _ in range(num_workers)]
    idle, draws, found = list(range(num_workers)), _draws(), Simulated()
    running: list[tuple[float, int, Ticket, float]] = []
    capacity, held, now = Capacity(num_workers, 0.0), board.count_waiting(), 0.0
    while board.num_left:
        classes_to_release(held, board.count_waiting(), board.count_ready(), capacity)
        while idle and (ticket := board.take(workers[idle[-1]])) is not None:
            number = idle.pop()
            workers[number].notice(ticket)
            took_s = medians[ticket.table.folder] * next(draws)
            heapq.heappush(running, (now + took_s, number, ticket, took_s))
        if not board.count_waiting() and not found.waited_at_s:
            found.waited_at_s = now
            found.busy_until_then_s = found.busy_s + sum(now - (end - took) for end, _, _, took in running)
        now, number, ticket, took_s = heapq.heappop(running)
        board.finish(ticket, took_s)
        found.busy_s += took_s
        idle.append(number)
    found.ended_at_s = now
    return found


def _medians(number: int) -> Iterator[float]:
    """Yield how long tickets of each table take: from a second to a minute."""
    return iter(np.round(np.exp(rng_for(0, "medians").uniform(0, np.log(60), number)), 2).tolist())


def _draws() -> Iterator[float]:
    rng = rng_for(0, "durations")
    while True:
        yield from rng.lognormal(0.0, SPREAD, 10_000).tolist()


if __name__ == "__main__":
    main()
