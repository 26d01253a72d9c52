"""A worker in a process of its own, on whatever machine Ray has put it."""

import pickle
from collections.abc import Sequence

from pipeline.execution.interrupts import catch_termination
from pipeline.execution.log_file import open_log
from pipeline.execution.worker import Suspect, TicketResult, Worker
from pipeline.sources.shards import Shard
from pipeline.store.workspace import Workspace
from pipeline.tables.table import PoolTable
from pipeline.tables.tickets import ShardPlace, Ticket, TicketGraph
from schemas import UnanimousError
from stages import torchaudio_guard
from stages.operators.user_modules import OperatorModule, install_modules


class TicketActor:
    """Does tickets by name; only names, counts and errors travel."""

    def __init__(
        self, workspace: Workspace, modules: Sequence[OperatorModule], graph: bytes, device: str
    ) -> None:
        open_log(workspace.worker_log)
        torchaudio_guard.install_guard()
        install_modules(modules)  # before the graph is unpickled: it may hold the user's operators
        unpickled: TicketGraph = pickle.loads(graph)  # noqa: S301 - made by the driver of this run
        self._tables = {table.folder: table for table in unpickled.tables}
        self._shards = {shard.name: shard for shard in unpickled.shards}
        # Ray ends a worker by SIGTERM, and its handler by an error that a stage takes for its record's
        self._worker = Worker(workspace, device, check_stop=catch_termination().check_stop)

    def run(
        self,
        place: ShardPlace,
        excluded: Sequence[Suspect],
        alone: bool,  # noqa: FBT001 - Ray passes by position
    ) -> TicketResult | UnanimousError:
        """Do the ticket at ``place``; what stops a run is returned, since Ray would wrap what is raised."""
        folder, name = place
        table = self._tables[folder]
        try:
            return self._worker.run(Ticket(table, self._shard(table, name)), excluded, alone=alone)
        except UnanimousError as error:
            return error

    def _shard(self, table: object, name: str) -> Shard:
        if isinstance(table, PoolTable):
            return next(shard for shard in table.shards if shard.name == name)
        return self._shards[name]
