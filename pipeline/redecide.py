"""Deciding anew: finished scores under other criteria, margins, vetoes or rules. Nothing is scored again."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.decisions import Decisions, decisions_of
from pipeline.graph import Graph, assemble
from pipeline.resolve import Run
from pipeline.store import TableStore
from pipeline.ticket_log import note_ticket
from pipeline.tickets import Ticket
from pipeline.wording import count
from pipeline.work import Worker
from pipeline.workspace import Workspace
from schemas import WorkspaceError

Progress = Callable[[int, int], None]
"""What is told how many of how many shards are decided."""
NAMED = 4
"""Tables that are named when scores are missing; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a config's criteria make of the scores of a workspace."""

    decisions: Decisions
    num_decided: int
    """Shards that were decided now; the others were already."""
    num_unscored: int
    """Shards that lack scores, and so have no preferences yet."""


def decide(run: Run, workspace: Workspace, progress: Progress) -> Decided:
    """Make the preferences of every shard that has its scores, shard by shard, in this process.

    They are those that ``run`` would make, byte for byte, and ``run`` then finds them there. Raises
    ``WorkspaceError`` if the workspace has no scores that the config's criteria and vetoes can use.
    """
    if not workspace.root.is_dir():
        raise WorkspaceError(f"there is no workspace {workspace.root}; 'run' makes one")
    with workspace.held():
        graph = assemble(run, workspace.root, keep=False)
        scored = _scored(graph, workspace.store)
        num_decided = make_preferences(scored, workspace, progress)
    names = [ticket.shard.name for ticket in scored]
    found = decisions_of(workspace.store, graph.prefer.folder, names)
    return Decided(found, num_decided, len(graph.shards) - len(scored))


def make_preferences(tickets: Sequence[Ticket], workspace: Workspace, progress: Progress) -> int:
    """Decide the shards of ``tickets`` that are not decided yet, and return how many these were."""
    there = {folder: workspace.store.shards(folder) for folder in {t.table.folder for t in tickets}}
    todo = [ticket for ticket in tickets if ticket.shard.name not in there[ticket.table.folder]]
    worker = Worker(workspace.root)
    gc.freeze()  # collections then look at rows alone, not at every module: a third of the time
    for number, ticket in enumerate(todo, start=1):
        note_ticket(workspace.ticket_log, ticket, worker.run(ticket), time.time())
        progress(number, len(todo))
    return len(todo)


def _scored(graph: Graph, store: TableStore) -> list[Ticket]:
    """Return the tickets whose scores are there, in the order of shards."""
    there = {table.folder: store.shards(table.folder) for table in graph.prefer.reads}
    scored = set[str].intersection(*there.values())
    tickets = [Ticket(graph.prefer, shard) for shard in graph.shards if shard.name in scored]
    if not tickets:
        missing = [table.name for table in graph.prefer.reads if not there[table.folder]]
        named = ", ".join(missing[:NAMED]) + (" …" if len(missing) > NAMED else "")
        lacking = f"{count(len(missing), 'table')} ({named})" if missing else "a shard with all its scores"
        raise WorkspaceError(
            f"nothing can be decided in {store.root.parent}: for this config it lacks {lacking}; 'run' makes "
            "what is missing"
        )
    return tickets
