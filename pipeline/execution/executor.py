"""What every executor is: all tickets of a board done, and each one told of."""

from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.execution.board import Board
from pipeline.execution.worker import TicketResult
from pipeline.tables.tickets import Ticket
from stages.operators.user_modules import OperatorModule

OnDone = Callable[[Ticket, TicketResult], None]
"""Is told of each finished ticket; may raise to stop the run."""


class JobSettings(Protocol):
    """What a config says that executors need."""

    @property
    def name(self) -> str:
        """What the work is called."""
        ...

    @property
    def deadline_s(self) -> float:
        """How long a worker may finish nothing."""
        ...


class Job(Protocol):
    """What executors need of what is run: a config, or a panel."""

    @property
    def config(self) -> JobSettings:
        """Its settings."""
        ...

    @property
    def config_hash(self) -> str:
        """What they are told apart by."""
        ...

    @property
    def modules(self) -> Sequence[OperatorModule]:
        """Operators of the user's own, which every worker needs."""
        ...


class Executor(Protocol):
    """Does the tickets of a board until none is left."""

    def run(self, board: Board, on_done: OnDone) -> None:
        """Do all tickets. Raises ``RunError`` for what stops a run, and whatever ``on_done`` raises."""
        ...
