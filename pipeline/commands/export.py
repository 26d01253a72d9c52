"""``export``: the dataset of a finished run, written again, and uploaded if asked."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.card import lines_for
from pipeline.dataset.hub import check_access, push
from pipeline.export import MARK, Exported, dataset_key, export, exported
from pipeline.funnel_text import funnel_lines
from pipeline.graph import Graph, assemble
from pipeline.inventory import Inventory
from pipeline.resolve import Run
from pipeline.wording import count, say, size
from pipeline.workspace import Workspace
from schemas import UserError, WorkspaceError

NAMED = 5
"""Tables that are named when tickets are missing; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Where on the hub a dataset is to go."""

    repo: str
    public: bool


def export_command(run: Run, workspace: Workspace, out: str | None, upload: Upload | None = None) -> None:
    """Write the dataset to ``out``, or to its place in the workspace, and upload it if asked.

    What is to be uploaded is written only if it is not there already. Raises ``WorkspaceError`` that names
    what is not finished, and ``UserError`` for a folder that holds something else.
    """
    if not workspace.root.is_dir():
        raise WorkspaceError(f"there is no workspace {workspace.root}; 'run' makes one")
    if upload is not None:
        check_access(upload.repo)
    folder = workspace.dataset if out is None else Path(out).expanduser().absolute()
    _refuse_foreign(folder)
    with workspace.held():
        graph = assemble(run, workspace.root, keep=False)
        _refuse_unfinished(graph, workspace)
        key = dataset_key(run, graph)
        inventory = Inventory.of(run, graph, dataset_key=key, started_at_s=time.time())
        inventory.write(workspace.inventory_of(key))
        there = exported(folder, key) if upload is not None else None
        folder.parent.mkdir(parents=True, exist_ok=True)
        written = there or export(run, graph, workspace.store, folder)
    _say_written(folder, written)
    if upload is not None:
        say(f"\nuploading {size(_num_bytes(written))} to {upload.repo}")
        say(f"uploaded: {push(folder, upload.repo, public=upload.public)}")


def _say_written(folder: Path, written: Exported) -> None:
    for line in funnel_lines(written.funnel):
        say(line)
    say(f"\ndataset: {folder}\n\nload it with:\n")
    for line in lines_for(str(folder), written.rows).splitlines():
        say(f"    {line}".rstrip())


def _num_bytes(written: Exported) -> int:
    return sum(files.num_bytes for splits in written.tables.values() for files in splits.values())


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
