"""Which executor does the work, as the command line names it."""

from pipeline.execution.executor import Executor, Job
from pipeline.execution.interrupts import Interruption
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.tickets import MakeGraphExecutor
from pipeline.progress.view import View
from pipeline.store.workspace import Workspace
from pipeline.tables.tickets import TicketGraph
from schemas import UserError

EXECUTORS = ("ray", "local")


def require_executor(name: str) -> None:
    """Raise ``UserError`` for an executor that there is not."""
    if name not in EXECUTORS:
        raise UserError(f"there is no executor {name!r}; choose one of: {', '.join(EXECUTORS)}")


def make_graph_executor(
    job: Job, workspace: Workspace, chosen: tuple[str, int | None], interruption: Interruption
) -> MakeGraphExecutor:
    """Return what makes the executor of a graph; ``chosen`` are its name and how many workers it may have."""
    name, workers = chosen

    def make(graph: TicketGraph, shown: View) -> Executor:
        if name == "local":
            return LocalExecutor(Worker(workspace, check_stop=interruption.check_stop))
        from pipeline.execution.ray import RayExecutor  # noqa: PLC0415 - a local run needs no Ray

        return RayExecutor(job, graph, workspace, workers, shown.say, check_stop=interruption.check_stop)

    return make
