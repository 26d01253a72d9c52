"""``prune``: tables and shards that no given config reaches are removed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.config.resolve import ResolvedConfig
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from pipeline.text import align_columns, count, format_bytes, say
from schemas import UserError, WorkspaceError

Reached = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Stale:
    """A shard, or a journal of one, that nothing reaches."""

    table: str
    num_bytes: int
    remove: Callable[[], None]


def prune_command(workspace: Workspace, runs: Sequence[ResolvedConfig], *, dry_run: bool) -> None:
    """Remove what none of ``runs`` reaches, or only say what that is. The catalogue stays."""
    if not runs:
        raise UserError("without a --config nothing would be reached, and everything would go; name one")
    if not workspace.has_tables:
        raise WorkspaceError(f"{workspace} is not a workspace: it has no tables")
    with workspace.hold():
        stale = list(find_stale_files(workspace, find_reached(workspace, runs)))
        for line in prune_lines(stale, dry_run=dry_run):
            say(line)
        if not dry_run:
            _remove(workspace, stale)


def find_reached(workspace: Workspace, runs: Sequence[ResolvedConfig]) -> Reached:
    """Return table and shard of every ticket that any of ``runs`` has."""
    graphs = (assemble(run, workspace, keep=False) for run in runs)
    return frozenset(ticket.place for graph in graphs for ticket in graph.tickets)


def find_stale_files(workspace: Workspace, kept: Reached) -> Iterator[Stale]:
    """Yield shards and journals whose table and shard are not among ``kept``."""
    for table, shard, num_bytes in sorted(workspace.store.walk_sizes()):
        if (table, shard) not in kept:
            yield Stale(table, num_bytes, partial(workspace.store.remove, table, shard))
    for journal in workspace.journals.walk():
        if journal.place not in kept:
            yield Stale(
                journal.place[0], journal.num_bytes, partial(workspace.journals.remove, journal.place)
            )


def prune_lines(stale: Sequence[Stale], *, dry_run: bool) -> Iterator[str]:
    """Yield what goes, table by table."""
    tables: dict[str, list[Stale]] = {}
    for file in stale:
        tables.setdefault(file.table, []).append(file)
    yield from align_columns(
        [
            (table, count(len(files), "shard"), format_bytes(_num_bytes(files)))
            for table, files in tables.items()
        ]
    )
    if not stale:
        yield "nothing to remove: the given configs reach every shard"
        return
    total = (
        f"{count(len(stale), 'shard')} of {count(len(tables), 'table')}, {format_bytes(_num_bytes(stale))}"
    )
    yield f"would remove {total}" if dry_run else f"removing {total}"


def _num_bytes(files: Sequence[Stale]) -> int:
    return sum(file.num_bytes for file in files)


def _remove(workspace: Workspace, stale: Sequence[Stale]) -> None:
    for file in stale:
        file.remove()
    workspace.remove_empty_folders()
