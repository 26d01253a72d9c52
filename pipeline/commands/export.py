"""``export``: the dataset of a finished run, written again."""

from collections import Counter
from pathlib import Path

from pipeline.dataset.card import lines_for
from pipeline.export import MARK, export
from pipeline.funnel_text import funnel_lines
from pipeline.graph import Graph, assemble
from pipeline.resolve import Run
from pipeline.wording import count, say
from pipeline.workspace import Workspace
from schemas import UserError, WorkspaceError

NAMED = 5
"""Tables that are named when tickets are missing; the rest is counted."""


def export_command(run: Run, workspace: Workspace, out: str | None) -> None:
    """Write the dataset to ``out``, or to its place in the workspace.

    Raises ``WorkspaceError`` that names what is not finished, and ``UserError`` for a folder that holds
    something else.
    """
    if not workspace.root.is_dir():
        raise WorkspaceError(f"there is no workspace {workspace.root}; 'run' makes one")
    folder = workspace.dataset if out is None else Path(out).expanduser().absolute()
    _refuse_foreign(folder)
    with workspace.held():
        graph = assemble(run, workspace.root, keep=False)
        _refuse_unfinished(graph, workspace)
        folder.parent.mkdir(parents=True, exist_ok=True)
        written = export(run, graph, workspace.store, folder)
    for line in funnel_lines(written.funnel):
        say(line)
    say(f"\ndataset: {folder}\n\nload it with:\n")
    for line in lines_for(str(folder), written.rows).splitlines():
        say(f"    {line}".rstrip())


def _refuse_foreign(folder: Path) -> None:
    """Leave alone what is not an earlier dataset of ours: a dataset is swapped in whole."""
    if folder.is_file():
        raise UserError(f"{folder} is a file; --out names the folder of the dataset")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UserError(
            f"{folder} holds something that is not a dataset of this program; choose another --out"
        )


def _refuse_unfinished(graph: Graph, workspace: Workspace) -> None:
    board = graph.board(workspace.store)
    missing = Counter(ticket.table.name for ticket in board.tickets if not board.is_done(ticket))
    if not missing:
        return
    named = ", ".join(f"{name} × {number}" for name, number in list(missing.items())[:NAMED])
    more = f" and {count(len(missing) - NAMED, 'table')} more" if len(missing) > NAMED else ""
    raise WorkspaceError(
        f"the run is not finished in {workspace.root}: {missing.total():,} of {len(board.tickets):,} tickets "
        f"are missing ({named}{more}); 'run' goes on with them and exports in the end"
    )
