"""Work without a failure budget: every ticket of a graph done, and what has no value has its reason."""

import time
from collections.abc import Callable

from pipeline.execution.board import Board
from pipeline.execution.executor import Executor
from pipeline.execution.worker import TicketResult
from pipeline.progress.tally import Tally
from pipeline.progress.ticket_log import note_ticket
from pipeline.progress.view import View
from pipeline.store.workspace import Workspace
from pipeline.tables.tickets import Ticket, TicketGraph

MakeGraphExecutor = Callable[[TicketGraph, View], Executor]


def finish_tickets(
    workspace: Workspace, graph: TicketGraph, make_executor: MakeGraphExecutor, shown: View
) -> int:
    """Do the tickets that are not done yet, shown as they go, and return how many they were."""
    board = Board.of(graph, workspace.store)
    left = board.num_left
    if not left:
        return 0
    tally = Tally(graph, None)
    done: dict[str, list[str]] = {}
    for ticket in board.tickets:
        if board.is_done(ticket):
            done.setdefault(ticket.table.folder, []).append(ticket.shard.name)
    tally.recall(workspace.store, graph, done)

    def on_done(ticket: Ticket, result: TicketResult) -> None:
        note_ticket(workspace.ticket_log, ticket, result, time.time())
        tally.add(ticket, result)
        shown.show(tally)

    make_executor(graph, shown).run(board, on_done)
    return left
