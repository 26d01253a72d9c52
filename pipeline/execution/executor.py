"""What every executor is: all tickets of a board done, and each one told of."""

from collections.abc import Callable
from typing import Protocol

from pipeline.execution.board import Board
from pipeline.execution.worker import TicketResult
from pipeline.tables.tickets import Ticket

OnDone = Callable[[Ticket, TicketResult], None]
"""Is told of each finished ticket; may raise to stop the run."""


class Executor(Protocol):
    """Does the tickets of a board until none is left."""

    def run(self, board: Board, on_done: OnDone) -> None:
        """Do all tickets. Raises ``RunError`` for what stops a run, and whatever ``on_done`` raises."""
        ...
