"""A run from beginning to end: hold the workspace, do what is not done, export, say what came out."""

import shlex
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.config.resolve import ResolvedConfig
from pipeline.dataset.description import DatasetDescription
from pipeline.dataset.wholeness import refuse_foreign
from pipeline.execution.board import Board
from pipeline.execution.executor import Executor
from pipeline.execution.log_file import log_to
from pipeline.execution.worker import TicketResult
from pipeline.operations.mending import Mender, set_damaged_shards_aside
from pipeline.operations.publish import publish, replacement_lines, write_inventory
from pipeline.operations.rounds import begin_round, inherit_shards, take_over
from pipeline.progress.pair_yield import expected_inputs, measured_yield, yield_lines
from pipeline.progress.tally import Tally
from pipeline.progress.ticket_log import note_ticket, ticket_lines
from pipeline.progress.view import View, open_view
from pipeline.sources.corpora import stamp_name
from pipeline.sources.first_look import require_audio
from pipeline.store.files import explain_full_disk
from pipeline.store.missing_values import missing_values
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.tables.listing import forget_stamps
from pipeline.tables.listing_warnings import listing_warnings
from pipeline.tables.tickets import ShardPlace, Ticket
from schemas import ConfigError, DamagedFileError, Reason, Status

MakeExecutor = Callable[[ResolvedConfig, Workspace, Graph, View], Executor]


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to."""

    exported: DatasetDescription
    workspace: str
    """Where it is, as people know it."""
    dataset: str
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

    ``retry_failed`` first removes shards with rows of a reason, or with ``any`` that failed, and what is made
    from them. Raises ``WorkspaceError`` if another run holds the workspace, ``BudgetExceededError``, and
    ``RunError`` for what no record can help.
    """
    started = time.monotonic()
    refuse_foreign(workspace.dataset)
    with explain_full_disk(workspace), workspace.hold(), open_view() as shown:
        for line in workspace.clear_places():
            shown.say(line)
        mender = Mender(workspace, shown.say)
        with log_to(workspace.log):
            workspace.remove_drafts()
            workspace.dataset.remove_leftovers()
            attempt = _Attempt(run, workspace, make_executor, shown)
            while (result := attempt.result(mender, retry_failed)) is None:
                retry_failed = None  # what was to be made again is gone already
    computed, wall_s = attempt.computed, time.monotonic() - started
    places = str(workspace), str(workspace.dataset), str(workspace.report)
    return RunResult(result, *places, computed, wall_s)


@dataclass
class _Attempt:
    """A run inside its workspace, which begins again where it has met a damaged file."""

    run: ResolvedConfig
    workspace: Workspace
    make_executor: MakeExecutor
    shown: View
    computed: int = 0
    """Tickets that were done, or begun with."""

    def result(self, mender: Mender, retry_failed: str | None) -> DatasetDescription | None:
        """Return the dataset, or None if a file was moved aside and has to be made again."""
        try:
            return self._finish(retry_failed)
        except DamagedFileError as error:
            mender.mend(error)
            return None

    def _finish(self, retry_failed: str | None) -> DatasetDescription:
        workspace, shown = self.workspace, self.shown
        run = begin_round(self.run, workspace)
        inherit_shards(run, workspace)
        graph = _list_recordings(run, workspace, shown, retry_failed)
        for line in (*replacement_lines(run, graph, workspace), *listing_warnings(run, graph)):
            shown.say(line)
        write_inventory(run, graph, workspace)
        set_damaged_shards_aside(graph, workspace, shown.say)
        if retry_failed is not None:
            removed = remove_failed(graph, workspace, retry_failed)
            what = "failed rows" if retry_failed == "any" else f"rows of the reason {retry_failed!r}"
            shown.say(f"{removed} shards with {what}, or made from them, are made again")
        else:  # what is to be made again must not come back as it was
            take_over(run, graph, workspace, shown.say)
        board = Board.of(graph, workspace.store)
        _take_up(board, workspace, shown)
        self.computed += board.num_left
        if board.num_left:
            _compute(run, workspace, graph, board, (self.make_executor, shown))
        _require_speech(graph, workspace, all_of_it=True)
        result = publish(run, graph, workspace, shown.say)
        _require_speech(graph, workspace, all_of_it=False)
        return result


def _list_recordings(
    run: ResolvedConfig, workspace: Workspace, shown: View, retry_failed: str | None
) -> Graph:
    """Return the graph of what is there now. Raises ``ConfigError`` for a corpus without audio.

    Of what is to be tried again because it had changed, size and time of change are not believed.
    """
    graph = assemble(run, workspace, _report_listing(shown))
    if retry_failed in {"any", Reason.CHANGED} and (names := set(_changed_names(graph, workspace.store))):
        forget_stamps(workspace, names)
        graph = assemble(run, workspace, _report_listing(shown))
    require_audio(source for shard in graph.shards for source in shard.sources)
    return graph


def _changed_names(graph: Graph, store: TableStore) -> Iterator[str]:
    """Walk the names that the stamps of recordings have which were not what had been listed."""
    read = [(graph.ingest, graph.shards), *((table, table.shards) for table in graph.pools)]
    for table, shards in read:
        for shard in shards:
            ends = missing_values(store, table.folder, shard.name)
            rows = {end.row for end in ends if end.reason is Reason.CHANGED}
            yield from (stamp_name(source) for source in shard.sources if source.id in rows)


def _require_speech(graph: Graph, workspace: Workspace, *, all_of_it: bool) -> None:
    """Raise ``ConfigError`` for a corpus that gave no utterance; with ``all_of_it`` only if none gave any."""
    ends: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for shard in graph.shards:
        counts = workspace.store.metadata(graph.ingest.folder, shard.name)["counts"]
        ends[shard.sources[0].corpus].update(counts)  # a shard is of one corpus
    useless = {corpus: found for corpus, found in ends.items() if not found["ok"]}
    if useless and (not all_of_it or len(useless) == len(ends)):
        said = "; ".join(
            f"corpus {corpus!r} has no usable recording: "
            + ", ".join(f"{number:,} {end.partition('/')[2]}" for end, number in found.most_common())
            for corpus, found in useless.items()
        )
        rows = f"'python -m pipeline status {shlex.quote(str(workspace))} --rows' says more"
        others = "" if all_of_it else "; the dataset of the others is written"
        raise ConfigError(f"{said}; {rows}{others}")


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
    workspace.journals.remove_all()
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
    """Whether a row ended for the reason, or a take or a score in a row that has others.

    ``any`` means what failed; by its name, what is unfit can be tried again too.
    """
    ends = missing_values(store, table, shard)
    if reason == "any":
        return any(end.status is Status.FAILED for end in ends)
    return any(end.status is not Status.SKIPPED and end.reason == reason for end in ends)


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
    tickets = {ticket.place: ticket for ticket in board.tickets}
    for journal in workspace.journals.walk():
        ticket = tickets.get(journal.place)
        if ticket is None:
            continue
        if board.is_done(ticket):
            workspace.journals.remove(journal.place)
        elif records := workspace.journals.read_in_flight(journal.place):
            shown.say(
                f"an earlier run ended at {ticket.name}, record {', '.join(records[:3])}; going on from there"
            )
