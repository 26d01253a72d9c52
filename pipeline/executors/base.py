"""What every executor is: all tickets of a board done, and each one told of."""

from collections.abc import Callable
from typing import Protocol

from pipeline.tickets import Board, Ticket
from pipeline.work import TicketResult

OnDone = Callable[[Ticket, TicketResult], None]
"""Is told of each finished ticket; may raise to stop the run."""


class Executor(Protocol):
    """Does the tickets of a board until none is left."""

    def run(self, board: Board, told: OnDone) -> None:
        """Do all tickets. Raises ``RunError`` for what stops a run, and whatever ``told`` raises."""
        ...
