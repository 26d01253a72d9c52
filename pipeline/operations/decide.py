"""Deciding anew: finished scores under other criteria, margins, vetoes or rules. Nothing is scored again."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.config.resolve import ResolvedConfig
from pipeline.execution.worker import Worker
from pipeline.progress.ticket_log import note_ticket
from pipeline.sources.shards import Shard
from pipeline.store.files import explain_full_disk
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.tables.preference_counts import PreferenceCounts, preference_counts_of
from pipeline.tables.scores import PreferTable
from pipeline.tables.tickets import Ticket
from pipeline.text import count
from schemas import WorkspaceError

_OnProgress = Callable[[int, int], None]
"""What is told how many of how many shards are decided."""
_NAMED = 4
"""Tables that are named when scores are missing; the rest is counted."""


@dataclass(frozen=True, slots=True)
class DecideResult:
    """What a config's criteria make of the scores of a workspace."""

    decisions: PreferenceCounts
    num_decided: int
    """Shards that were decided now; the others were already."""
    num_unscored: int
    """Shards that lack scores, and so have no preferences yet."""


def redecide(run: ResolvedConfig, workspace: Workspace, progress: _OnProgress) -> DecideResult:
    """Make the preferences of every shard that has its scores, shard by shard, in this process.

    They are those that ``run`` would make, byte for byte, and ``run`` then finds them there. Raises
    ``WorkspaceError`` if the workspace has no scores that the config's criteria and vetoes can use.
    """
    if not workspace.is_there:
        raise WorkspaceError(f"there is no workspace {workspace}; 'run' makes one")
    with workspace.hold(), _without_collector():
        graph = assemble(run, workspace, keep=False)
        scored = _scored_shards(graph, workspace.store)
        num_decided = make_preferences(graph.prefer, scored, workspace, progress)
        found = preference_counts_of(workspace.store, graph.prefer.folder, [shard.name for shard in scored])
    return DecideResult(found, num_decided, len(graph.shards) - len(scored))


def make_preferences(
    table: PreferTable, shards: Sequence[Shard], workspace: Workspace, progress: _OnProgress
) -> int:
    """Decide those of ``shards`` that are not decided yet, and return how many these were."""
    there = workspace.store.shards(table.folder)
    todo = [shard for shard in shards if shard.name not in there]
    worker = Worker(workspace)
    with explain_full_disk(workspace), _without_collector():
        for number, shard in enumerate(todo, start=1):
            ticket = Ticket(table, shard)
            report = worker.run(ticket)
            note_ticket(workspace.ticket_log, ticket, report, time.time())
            progress(number, len(todo))
    return len(todo)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Look for no circular references: deciding makes none, and looking takes a tenth of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _scored_shards(graph: Graph, store: TableStore) -> list[Shard]:
    """Return the shards whose scores are there, in their order."""
    there = {table.folder: store.shards(table.folder) for table in graph.prefer.reads}
    names = set[str].intersection(*there.values())
    scored = [shard for shard in graph.shards if shard.name in names]
    if not scored:
        missing = [table.name for table in graph.prefer.reads if not there[table.folder]]
        named = ", ".join(missing[:_NAMED]) + (" …" if len(missing) > _NAMED else "")
        lacking = f"{count(len(missing), 'table')} ({named})" if missing else "a shard with all its scores"
        raise WorkspaceError(
            f"nothing can be decided in {store.workspace}: for this config it lacks {lacking}; 'run' makes "
            "what is missing"
        )
    return scored
