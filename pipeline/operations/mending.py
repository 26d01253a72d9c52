"""Mending a workspace: what is damaged in it is moved aside with a word, so that a run makes it again."""

from collections.abc import Callable, Iterator

from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph
from schemas import DamagedFileError


def set_damaged_shards_aside(graph: Graph, workspace: Workspace, tell: Callable[[str], None]) -> None:
    """Move aside what lies in the place of a shard and is none: it is then not done."""
    mender = Mender(workspace, tell)
    for error in _damaged_shards(graph, workspace.store):
        mender.mend(error)


def _damaged_shards(graph: Graph, store: TableStore) -> Iterator[DamagedFileError]:
    there = {table.folder: store.shards(table.folder) for table in graph.tables}
    for ticket in graph.tickets:
        folder, shard = ticket.place
        if shard in there[folder]:
            try:
                store.metadata(folder, shard)
            except DamagedFileError as error:
                yield error


class Mender:
    """Moves aside what a run has met that cannot be read; the same file twice is no use in trying."""

    def __init__(self, workspace: Workspace, tell: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._tell = tell
        self._mended: set[str] = set()

    def mend(self, error: DamagedFileError) -> None:
        """Move the file aside; raises ``error`` again if that has not helped, or is not for us to do."""
        said = None if error.path in self._mended else self._workspace.set_aside(error.path)
        if said is None:
            raise error
        self._mended.add(error.path)
        self._tell(f"{error.path} is damaged: {error.why}: {said}")
