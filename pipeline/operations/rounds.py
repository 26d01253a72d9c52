"""A round after another: what came before it is noted, and what has not changed is taken over from there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pipeline.audit.audit import read_audit
from pipeline.config.resolve import ResolvedConfig
from pipeline.config.rounds import BegunRound, Lineage, read_round
from pipeline.dataset.description import DatasetDescription, read_description
from pipeline.dataset.rounds import round_summary_of
from pipeline.store.missing_values import missing_values, read_footer, statuses_of
from pipeline.store.object_urls import is_store_url
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.store.workspaces import open_workspace
from pipeline.tables.graph import Graph
from pipeline.tables.tickets import ShardPlace, Ticket
from pipeline.text import count
from schemas import NONDETERMINISTIC, DamagedFileError, Status, WorkspaceError


def begin_round(run: ResolvedConfig, workspace: Workspace) -> ResolvedConfig:
    """Return the run with the rounds before it, and keep in its workspace what it began after.

    A run that names no round is returned as it is. Raises ``WorkspaceError`` if the round before is not there
    when this one begins, or if its workspace holds another dataset by now.
    """
    if run.config.round is None:
        return run
    place = place_of_parent(run)
    noted = read_round(workspace.round)
    noted = noted if noted is not None and noted.of == place else None
    lineage = Lineage() if not place else _lineage_after(place, workspace, noted)
    begun = BegunRound(of=place, lineage=lineage.model_copy(update={"policies": run.config.round.policies}))
    if begun != noted:
        workspace.round.put(begun.model_dump_json(indent=1).encode())
    return replace(run, lineage=begun.lineage)


def place_of_parent(run: ResolvedConfig) -> str:
    """Return where the workspace of the round before is; empty in the first round."""
    named = None if run.config.round is None else run.config.round.of
    if named is None:
        return ""
    return named if is_store_url(named) else run.path(named)


def _lineage_after(place: str, workspace: Workspace, noted: BegunRound | None) -> Lineage:
    parent = open_workspace(place, "")
    if str(parent) == str(workspace):
        raise WorkspaceError(
            f"round.of: {parent} is this run's own workspace; name that of the round before, or give this "
            "round another --workspace"
        )
    found = read_description(parent.dataset)
    if noted is None:
        if found is None:
            raise WorkspaceError(_why_none(parent))
        return _lineage_of(parent, found)
    if found is not None and found.key != noted.lineage.parent:
        before = noted.lineage.earlier[-1]
        raise WorkspaceError(
            f"round.of: {parent} holds the dataset of another config by now, {found.name} "
            f"({found.config_hash}, key {found.key}), and this round began after {before.name} "
            f"({before.config_hash}, key {before.key}); run that config there again, or begin a round after "
            "the new one in a --workspace of its own"
        )
    return noted.lineage


def _why_none(parent: Workspace) -> str:
    if not parent.is_there:
        return (
            f"round.of: there is no workspace {parent}, so no round can begin after it; relative paths start "
            "from the config's folder"
        )
    return (
        f"round.of: {parent} has no finished dataset of this version of the program; finish it with 'run' "
        "and its config, and then begin the round after it"
    )


def _lineage_of(parent: Workspace, description: DatasetDescription) -> Lineage:
    audit = read_audit(parent.audit)
    is_its = audit is not None and audit.config_hash == description.config_hash
    judges = audit.win_rates if audit is not None and is_its else {}
    before = (description.lineage or Lineage()).earlier
    return Lineage(earlier=(*before, round_summary_of(description, judges)))


def inherit_shards(run: ResolvedConfig, workspace: Workspace) -> None:
    """Give recordings the shards that they have in the round before, unless they have some here already.

    Otherwise what was added there later would be cut into other shards here, and nothing of it be found.
    """
    if not (place := place_of_parent(run)):
        return
    parent = open_workspace(place, "")
    for name in parent.files.list("catalogue"):
        own = workspace.catalogue(name.partition("/")[2])
        content = None if own.stamp() else parent.catalogue(name.partition("/")[2]).read_if_there()
        if content is not None:
            own.put(content)


def take_over(run: ResolvedConfig, graph: Graph, workspace: Workspace, tell: Callable[[str], None]) -> None:
    """Take over the shards that the round before has made under the same keys, byte for byte.

    Left out are shards with rows that failed or depended on luck there, and what is made from them.
    """
    if not (place := place_of_parent(run)) or run.lineage is None:
        return
    parent = open_workspace(place, "")
    here = {table.folder: workspace.store.shards(table.folder) for table in graph.tables}
    lacking = [ticket for ticket in graph.tickets if ticket.shard.name not in here[ticket.table.folder]]
    if not lacking:
        return
    if not parent.is_there:
        tell(f"the workspace of the round before, {parent}, has gone: what this round lacks is made anew")
        return
    able = set(_places_to_take(parent.store, graph.tickets))
    taken = [ticket.place for ticket in lacking if ticket.place in able]
    for folder, shard in taken:
        workspace.store.copy_shard(parent.store, folder, shard)
    tell(
        f"round {run.lineage.number}, after {parent} ({run.lineage.parent}): {len(taken):,} of "
        f"{count(len(lacking), 'ticket')} taken over from there"
    )


def _places_to_take(parent: TableStore, tickets: Sequence[Ticket]) -> Iterator[ShardPlace]:
    """Walk the shards that are there in which all went well, as it did in all that they are made from."""
    there = {folder: parent.shards(folder) for folder in {ticket.table.folder for ticket in tickets}}
    left_out: set[ShardPlace] = set()
    for ticket in tickets:  # what a shard is made from comes before it
        folder, shard = ticket.place
        if shard not in there[folder]:
            continue
        if ticket.needs & left_out or _has_gone_wrong(parent, ticket.place):
            left_out.add(ticket.place)
        else:
            yield ticket.place


def _has_gone_wrong(parent: TableStore, place: ShardPlace) -> bool:
    """Whether rows have failed, or might not be the same again, or cannot be read."""
    try:
        footer = read_footer(parent, *place)
        return footer is None or (
            statuses_of(footer.counts)[Status.FAILED] > 0
            or (
                footer.may_be_nondeterministic
                and any(end.reason in NONDETERMINISTIC for end in missing_values(parent, *place))
            )
        )
    except DamagedFileError:  # it is made anew here; there it is the other run's to mend
        return True
