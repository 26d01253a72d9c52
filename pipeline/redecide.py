"""Deciding anew: finished scores under other criteria, margins, vetoes or rules. Nothing is scored again."""

import gc
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.decisions import Decisions, decisions_of
from pipeline.graph import Graph, assemble
from pipeline.resolve import Run
from pipeline.store import TableStore
from pipeline.tickets import Ticket
from pipeline.wording import count
from pipeline.work import Worker
from pipeline.workspace import Workspace
from schemas import WorkspaceError

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


def decide(run: Run, workspace: Workspace, progress: Callable[[int, int], None]) -> Decided:
    """Make the preferences of every shard that has its scores, shard by shard, in this process.

    They are those that ``run`` would make, byte for byte, and ``run`` then finds them there. Raises
    ``WorkspaceError`` if the workspace has no scores that the config's criteria and vetoes can use.
    """
    if not workspace.root.is_dir():
        raise WorkspaceError(f"there is no workspace {workspace.root}; 'run' makes one")
    with workspace.held():
        graph = assemble(run, workspace.root, keep=False)
        scored = _scored(graph, workspace.store)
        there = workspace.store.shards(graph.prefer.folder)
        todo = [ticket for ticket in scored if ticket.shard.name not in there]
        worker = Worker(workspace.root)
        gc.freeze()  # collections then look at rows alone, not at every module: a third of the time
        for number, ticket in enumerate(todo, start=1):
            worker.run(ticket)
            progress(number, len(todo))
    names = [ticket.shard.name for ticket in scored]
    found = decisions_of(workspace.store, graph.prefer.folder, names)
    return Decided(found, len(todo), len(graph.shards) - len(scored))


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
