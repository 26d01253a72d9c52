"""A run from beginning to end: hold the workspace, do what is not done, export, say what came out."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.resolve import ResolvedConfig
from pipeline.dataset.description import DatasetDescription
from pipeline.execution.board import Board
from pipeline.execution.executor import Executor
from pipeline.execution.log_file import log_to
from pipeline.execution.worker import TicketResult, journal_path
from pipeline.operations.publish import publish, write_inventory
from pipeline.progress.pair_yield import expected_inputs, measured_yield, yield_lines
from pipeline.progress.tally import Tally
from pipeline.progress.ticket_log import note_ticket, ticket_lines
from pipeline.progress.view import View, open_view
from pipeline.sources.duplicates import duplicate_warnings
from pipeline.store.files import explain_full_disk
from pipeline.store.journal import read_in_flight, remove_journal, remove_journals, walk_journals
from pipeline.store.missing_values import missing_values
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.empty_pools import empty_pool_warnings
from pipeline.tables.graph import Graph, assemble
from pipeline.tables.tickets import ShardPlace, Ticket
from schemas import Status

MakeExecutor = Callable[[ResolvedConfig, Workspace, Graph, View], Executor]


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to."""

    exported: DatasetDescription
    dataset: Path
    report: str
    computed: int
    """Tickets that this run did; 0 if everything was there."""
    wall_s: float


def execute(
    run: ResolvedConfig,
    workspace: Workspace,
    make_executor: MakeExecutor,
    retry_failed: str | None = None,
) -> RunResult:
    """Bring the workspace to where the config wants it, and return what came out.

    ``retry_failed`` first removes shards with failed rows, and what descends from them: a reason, or
    ``any``. Raises ``WorkspaceError`` if another run holds the workspace, ``BudgetExceededError``, and
    ``RunError`` for what no record can help.
    """
    started = time.monotonic()
    with explain_full_disk(workspace.root), workspace.hold(), log_to(workspace.log), open_view() as shown:
        workspace.remove_drafts()
        workspace.dataset.remove_leftovers()
        graph = assemble(run, workspace, _report_listing(shown))
        write_inventory(run, graph, workspace)
        for line in _warnings(graph):
            shown.say(line)
        if retry_failed is not None:
            removed = remove_failed(graph, workspace, retry_failed)
            shown.say(f"{removed} shards with failed rows, or made from them, are made again")
        board = Board.of(graph, workspace.store)
        _take_up(board, workspace, shown)
        computed = board.num_left
        if computed:
            _compute(run, workspace, graph, board, (make_executor, shown))
        result = publish(run, graph, workspace, shown.say)
    return RunResult(
        result, workspace.dataset.folder, str(workspace.report), computed, time.monotonic() - started
    )


def _warnings(graph: Graph) -> Iterator[str]:
    yield from duplicate_warnings(source for shard in graph.shards for source in shard.sources)
    yield from empty_pool_warnings(graph)


def _compute(
    run: ResolvedConfig, workspace: Workspace, graph: Graph, board: Board, with_: tuple[MakeExecutor, View]
) -> None:
    make_executor, shown = with_
    tally = Tally(graph, run.config.failure_budget)
    done: dict[str, list[str]] = {}
    for ticket in board.tickets:
        if board.is_done(ticket):
            done.setdefault(ticket.table.folder, []).append(ticket.shard.name)
    tally.recall(workspace.store, graph, done)
    tally.check()
    tally.recall_speeds(ticket_lines(workspace.ticket_log))

    def on_done(ticket: Ticket, result: TicketResult) -> None:
        note_ticket(workspace.ticket_log, ticket, result, time.time())
        tally.add(ticket, result)
        if ticket.table.folder == graph.prefer.folder and tally.tables[ticket.table.folder].done == 1:
            _say_yield(graph, workspace.store, shown)
        shown.show(tally)

    make_executor(run, workspace, graph, shown).run(board, on_done)


def _say_yield(graph: Graph, store: TableStore, shown: View) -> None:
    """Say after the first shard what the run will come to, before it has taken its time."""
    found = measured_yield(graph, store)
    if found is not None:
        shown.say("\n".join(["after the first shard:", *yield_lines(found, expected_inputs(graph, store))]))


def remove_failed(graph: Graph, workspace: Workspace, reason: str) -> int:
    """Remove shards that hold failed rows, and what descends from them, leaves first; return how many.

    What unfinished shards have in their journals goes too: failed rows may be among it.
    """
    stale = list(_find_failed_shards(graph, workspace.store, reason))
    remove_journals(workspace.journals)
    if stale:
        workspace.dataset.discard()
    for folder, shard in reversed(stale):
        workspace.store.remove(folder, shard)
    return len(stale)


def _find_failed_shards(graph: Graph, store: TableStore, reason: str) -> Iterator[ShardPlace]:
    stale: dict[str, set[str]] = {}
    for table in graph.tables:
        for shard in sorted(store.shards(table.folder)):
            above = any(shard in stale.get(parent.folder, ()) for parent in table.reads)
            drawn = any(pool.folder in stale for pool in table.pools)
            if above or drawn or _has_failed(store, table.folder, shard, reason):
                stale.setdefault(table.folder, set()).add(shard)
                yield table.folder, shard


def _has_failed(store: TableStore, table: str, shard: str, reason: str) -> bool:
    """Whether a row failed for the reason, or a take or a score in a row that has others."""
    ends = missing_values(store, table, shard)
    return any(end.status is Status.FAILED and reason in {"any", end.reason} for end in ends)


def _report_listing(shown: View) -> Callable[[int, int], None]:
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 5:  # noqa: PLR2004 - seconds between lines
            last = time.monotonic()
            shown.say(f"reading recordings: {done} of {total}")

    return progress


def _take_up(board: Board, workspace: Workspace, shown: View) -> None:
    """Name the records that an earlier run was at when it ended: one of them may have ended it.

    Journals of finished shards, whose writer was killed before it could remove them, go.
    """
    tickets = {journal_path(workspace.journals, ticket): ticket for ticket in board.tickets}
    for journal in walk_journals(workspace.journals):
        ticket = tickets.get(journal.path)
        if ticket is None:
            continue
        if board.is_done(ticket):
            remove_journal(journal.path)
        elif records := read_in_flight(journal.path):
            shown.say(
                f"an earlier run ended at {ticket.name}, record {', '.join(records[:3])}; going on from there"
            )
