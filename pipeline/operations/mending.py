"""Mending a workspace: what is damaged in it is moved aside with a word, so that a run makes it again."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.audit.audit import FILE
from pipeline.store.damage import set_aside
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph
from schemas import DamagedFileError

Tell = Callable[[str], None]


def clear_places(workspace: Workspace, tell: Tell) -> None:
    """Move aside what lies where a run keeps its own: folders in place of files, and the other way round."""
    folders = [workspace.store.root, workspace.root / "catalogue", workspace.log.parent, workspace.journals]
    folders += [workspace.inventory_of("").parent, *_entries(workspace.store.root)]
    for path in folders:
        if os.path.lexists(path) and not path.is_dir():
            tell(f"{path} is no folder: {set_aside(path, workspace.root)}")
    files = [workspace.config, workspace.inventory, workspace.report, workspace.log, workspace.ticket_log]
    files += [workspace.root / FILE, *_entries(workspace.root / "catalogue")]
    for path in [*files, *_entries(workspace.inventory_of("").parent)]:
        if os.path.lexists(path) and not path.is_file():
            tell(f"{path} is no file: {set_aside(path, workspace.root)}")


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def set_damaged_shards_aside(graph: Graph, workspace: Workspace, tell: Tell) -> None:
    """Move aside what lies in the place of a shard and is none: it is then not done."""
    for path, error in _damaged_shards(graph, workspace.store):
        tell(f"{path} is damaged: {error.why}: {set_aside(path, workspace.root)}")


def _damaged_shards(graph: Graph, store: TableStore) -> Iterator[tuple[Path, DamagedFileError]]:
    there = {table.folder: store.shards(table.folder) for table in graph.tables}
    for ticket in graph.tickets:
        folder, shard = ticket.place
        if shard in there[folder]:
            try:
                store.metadata(folder, shard)
            except DamagedFileError as error:
                yield store.path(folder, shard), error


class Mender:
    """Moves aside what a run has met that cannot be read; the same file twice is no use in trying."""

    def __init__(self, workspace: Workspace, tell: Tell) -> None:
        self._workspace = workspace
        self._tell = tell
        self._mended: set[str] = set()

    def mend(self, error: DamagedFileError) -> None:
        """Move the file aside; raises ``error`` again if that has not helped, or is not for us to do."""
        path = Path(error.path)
        is_ours = path.is_relative_to(self._workspace.root) and os.path.lexists(path)
        if error.path in self._mended or not is_ours:
            raise error
        self._mended.add(error.path)
        self._tell(f"{path} is damaged: {error.why}: {set_aside(path, self._workspace.root)}")
