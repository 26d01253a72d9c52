"""What stands in a workspace in the end: a dataset, and an audit and a report that speak of its pairs."""

import time
from collections.abc import Callable, Iterator

from pipeline.audit.audit import audit_key, load_or_run_audit
from pipeline.config.resolve import ResolvedConfig
from pipeline.config.stand_ins import keep_stand_ins
from pipeline.dataset.description import DatasetDescription, read_description
from pipeline.dataset.wholeness import damaged_files
from pipeline.operations.export import dataset_key, write_dataset
from pipeline.report.report import is_outdated, write_report
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph
from pipeline.tables.inventory import Inventory


def write_inventory(run: ResolvedConfig, graph: Graph, workspace: Workspace) -> None:
    """Note what is to be made: for the report, for those who look on, and for who replays rows."""
    workspace.config.put(run.config.model_dump_json(indent=1).encode())
    keep_stand_ins(workspace.stand_ins, run.stand_ins)
    noted = inventory_of(run, graph)
    for file in (workspace.inventory, workspace.inventory_of(noted.dataset_key)):
        noted.write(file)


def replacement_lines(run: ResolvedConfig, graph: Graph, workspace: Workspace) -> Iterator[str]:
    """Walk what there is to say of a dataset of other settings that this run's will replace."""
    there = read_description(workspace.dataset)
    if there is not None and there.config_hash != run.config_hash and there.key != dataset_key(run, graph):
        yield (
            f"the dataset that is in {workspace.dataset} is of other settings, {there.name} "
            f"({there.config_hash}): it is replaced; to keep both, give this one a --workspace of its own"
        )


def inventory_of(run: ResolvedConfig, graph: Graph) -> Inventory:
    """Return the inventory of a run that starts now."""
    return Inventory.of(
        run,
        graph,
        dataset_key=dataset_key(run, graph),
        audit_key=audit_key(run, graph, [shard.name for shard in graph.shards]),
        started_at_s=time.time(),
    )


def publish(
    run: ResolvedConfig,
    graph: Graph,
    workspace: Workspace,
    tell: Callable[[str], None],
    *,
    anew: bool = False,
) -> DatasetDescription:
    """Bring dataset, audit and report of a workspace to what a finished run decided; return the dataset.

    What is there already stays; ``anew`` writes the dataset in any case.
    """
    audit = load_or_run_audit(run, graph, workspace)
    found = None if anew else read_description(workspace.dataset, dataset_key(run, graph))
    if found is not None and (damaged := next(damaged_files(workspace.dataset, found), None)):
        tell(f"{damaged}: the dataset is written again")
        found = None
    if found is None:
        tell("writing the dataset")
        found = write_dataset(run, graph, workspace.store, workspace.dataset, audit)
    if is_outdated(workspace):
        tell("writing the report")
        write_report(workspace, workspace.report)
    return found
