"""One process, a for loop: defines what is right."""

from pipeline.execution.board import Board, WorkerState
from pipeline.execution.executor import OnDone
from pipeline.execution.worker import Worker
from schemas import RunError


class LocalExecutor:
    """Does one ticket after the other in this process.

    A crash in foreign code ends the process; the journal of the ticket then names the record.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def run(self, board: Board, on_done: OnDone) -> None:
        """Do all tickets of the board."""
        worker = WorkerState(resource=None)
        while board.num_left:
            ticket = board.take(worker)
            if ticket is None:
                raise RunError("no ticket is ready though some are left: a table reads what nothing makes")
            result = self._worker.run(ticket)
            worker.notice(ticket)
            board.finish(ticket, result.wall_s)
            on_done(ticket, result)
