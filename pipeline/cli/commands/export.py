"""``export``: the dataset of a finished run, decided anew if that is asked, and uploaded if that is."""

from collections import Counter
from dataclasses import dataclass

from pipeline.audit.audit import load_or_run_audit
from pipeline.config.resolve import ResolvedConfig
from pipeline.dataset.card import lines_for
from pipeline.dataset.description import DatasetDescription, read_description
from pipeline.dataset.hub import check_access, push
from pipeline.dataset.published import open_dataset
from pipeline.dataset.views import write_view
from pipeline.dataset.wholeness import damaged_files, refuse_foreign
from pipeline.execution.board import Board
from pipeline.execution.interrupts import exit_on_stop
from pipeline.operations.decide import make_preferences
from pipeline.operations.export import write_dataset
from pipeline.operations.publish import inventory_of, publish, replacement_lines, write_inventory
from pipeline.operations.rounds import begin_round
from pipeline.progress.funnel import funnel_lines
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.files import expand_home, explain_full_disk
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.text import count, format_bytes, say
from schemas import WorkspaceError

_NAMED = 5
"""Tables that are named when tickets are missing; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Where on the hub a dataset is to go."""

    repo: str
    public: bool


def export_command(
    run: ResolvedConfig, workspace: Workspace, out: str | None, upload: Upload | None = None
) -> None:
    """Write the dataset to ``out``, or to its place in the workspace, and upload it if asked.

    In the workspace, audit and report are made to speak of the same pairs; a copy elsewhere leaves those
    as they are. What is to be uploaded is written only if it is not there already.
    Raises ``WorkspaceError`` that names what is not scored, and ``UserError`` for a folder that holds
    something else.
    """
    if not workspace.is_there:
        raise WorkspaceError(f"there is no workspace {workspace}; 'run' makes one")
    dataset = workspace.dataset if out is None else DatasetFiles(expand_home(out).absolute())
    if upload is not None:
        _ = dataset.folder  # what is uploaded lies in one: refused before anything is written
        check_access(upload.repo)
    refuse_foreign(dataset)
    with exit_on_stop(), explain_full_disk(dataset), workspace.hold():
        run = begin_round(run, workspace)
        graph = assemble(run, workspace, keep=False)
        _refuse_unscored(graph, workspace)
        make_preferences(graph.prefer, graph.shards, workspace, _progress)
        if dataset == workspace.dataset:
            for line in replacement_lines(run, graph, workspace):
                say(line)
            write_inventory(run, graph, workspace)
            written = publish(run, graph, workspace, say, anew=upload is None)
        else:
            written = _copy(run, graph, workspace, dataset, anew=upload is None)
    _say_written(dataset, written)
    if upload is not None:
        say(f"\nuploading {format_bytes(_num_bytes(written))} to {upload.repo}")
        say(f"uploaded: {push(dataset.folder, upload.repo, public=upload.public)}")


def view_command(dataset: DatasetFiles, view: str, out: str, select: int | None = None) -> None:
    """Write a view of a dataset, and say what is in it."""
    opened = open_dataset(dataset)
    with exit_on_stop():
        written = write_view(opened, view, expand_home(out), select)
    for name, number in written.lines.items():
        say(f"{out}/{name}: {count(number, 'line')}")
    say(f"{out}: {count(written.recordings, 'recording')}")
    if written.coverage is not None:
        say(f"of        {written.coverage[0]}\nselected  {written.coverage[1]}")
    for what, number in written.left_out.items():
        say(f"left out: {number:,} {what}")


def _copy(
    run: ResolvedConfig, graph: Graph, workspace: Workspace, dataset: DatasetFiles, *, anew: bool
) -> DatasetDescription:
    """Return the dataset in a folder outside the workspace; rows of it can be replayed all the same."""
    noted = inventory_of(run, graph)
    noted.write(workspace.inventory_of(noted.dataset_key))
    there = None if anew else read_description(dataset, noted.dataset_key)
    if there is not None and not any(damaged_files(dataset, there)):
        return there
    dataset.make_parent()
    audit = load_or_run_audit(run, graph, workspace, keep=False)
    return write_dataset(run, graph, workspace.store, dataset, audit)


def _say_written(dataset: DatasetFiles, written: DatasetDescription) -> None:
    for line in funnel_lines(written.funnel):
        say(line)
    say(f"\ndataset: {dataset}\n\nload it with:\n")
    for line in lines_for(str(dataset), written.rows).splitlines():
        say(f"    {line}".rstrip())


def _num_bytes(written: DatasetDescription) -> int:
    return sum(files.num_bytes for splits in written.tables.values() for files in splits.values())


def _refuse_unscored(graph: Graph, workspace: Workspace) -> None:
    """Raise ``WorkspaceError`` that names what must be made first; deciding takes no more than a moment."""
    board = Board.of(graph, workspace.store)
    undone = [ticket.table for ticket in board.tickets if not board.is_done(ticket)]
    missing = Counter(table.name for table in undone if table is not graph.prefer)
    if not missing:
        return
    named = ", ".join(f"{name} × {number}" for name, number in list(missing.items())[:_NAMED])
    more = f" and {count(len(missing) - _NAMED, 'table')} more" if len(missing) > _NAMED else ""
    raise WorkspaceError(
        f"the run is not finished in {workspace}: {missing.total():,} of {len(board.tickets):,} tickets "
        f"are missing ({named}{more}); 'run' goes on with them and exports in the end"
    )


def _progress(done: int, total: int) -> None:
    if done == total:
        say(f"decided {count(total, 'shard')}")
