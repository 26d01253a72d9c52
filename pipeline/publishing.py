"""What stands in a workspace in the end: a dataset, and an audit and a report that speak of its pairs."""

import time
from collections.abc import Callable
from pathlib import Path

from pipeline.audit.audit import FILE, audited
from pipeline.export import MARK, Exported, dataset_key, export, exported
from pipeline.graph import Graph
from pipeline.inventory import Inventory
from pipeline.report.report import write_report
from pipeline.resolve import Run
from pipeline.store import write_whole
from pipeline.workspace import Workspace


def note_aim(run: Run, graph: Graph, workspace: Workspace) -> None:
    """Note what is to be made: for the report, for those who look on, and for who replays rows."""
    write_whole(workspace.config, run.config.model_dump_json(indent=1).encode())
    noted = inventory_of(run, graph)
    for path in (workspace.inventory, workspace.inventory_of(noted.dataset_key)):
        noted.write(path)


def inventory_of(run: Run, graph: Graph) -> Inventory:
    """Return the inventory of a run that starts now."""
    return Inventory.of(run, graph, dataset_key=dataset_key(run, graph), started_at_s=time.time())


def publish(
    run: Run, graph: Graph, workspace: Workspace, tell: Callable[[str], None], *, anew: bool = False
) -> Exported:
    """Bring dataset, audit and report of a workspace to what a finished run decided; return the dataset.

    What is there already stays; ``anew`` writes the dataset in any case.
    """
    audited(run, graph, workspace.store)  # the dataset's card then finds it there
    found = None if anew else exported(workspace.dataset, dataset_key(run, graph))
    if found is None:
        tell("writing the dataset")
        found = export(run, graph, workspace.store, workspace.dataset)
    if _is_outdated(workspace):
        tell("writing the report")
        write_report(workspace, workspace.report)
    return found


def _is_outdated(workspace: Workspace) -> bool:
    """Whether something that the report speaks of is newer than it: a killed run may have left it behind."""
    written = _written_at_ns(workspace.report)
    of = (workspace.dataset / MARK, workspace.root / FILE, workspace.ticket_log)
    return any(_written_at_ns(path) > written for path in of)


def _written_at_ns(path: Path) -> int:
    """Return when a file was written, 0 if it is not there."""
    return path.stat().st_mtime_ns if path.is_file() else 0
