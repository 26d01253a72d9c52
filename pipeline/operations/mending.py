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
    places = (ticket.place for ticket in graph.tickets if ticket.place[1] in there[ticket.place[0]])
    found = store.for_each(lambda folder, shard: _damage_of(store, folder, shard), places)
    yield from filter(None, found)


def _damage_of(store: TableStore, folder: str, shard: str) -> DamagedFileError | None:
    try:
        store.metadata(folder, shard)
    except DamagedFileError as error:
        return error
    return None


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
