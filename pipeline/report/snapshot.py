"""A run as it stands at one moment: everything that sections of the report are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from pipeline.audit.audit import read_audit
from pipeline.audit.records import Audit
from pipeline.config.rounds import Lineage, RoundSummary, read_round
from pipeline.config.schema import Config
from pipeline.dataset.description import read_description
from pipeline.dataset.rounds import round_summary_of
from pipeline.progress.funnel import Funnel, FunnelTables, read_funnel
from pipeline.progress.status import RunStatus
from pipeline.progress.ticket_log import TicketLine, ticket_lines
from pipeline.store.files import StoredFile
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import SPEECH, Inventory
from pipeline.tables.sql import RunTables
from schemas import WorkspaceError


@dataclass(frozen=True)
class Snapshot:
    """What lies in a workspace: also of a run that has only begun, and of one that is at work."""

    workspace: Workspace
    inventory: Inventory
    config: Config
    human: Path | None = None
    """A file of people's ratings beside the votes in the workspace."""

    @classmethod
    def of(cls, workspace: Workspace, human: Path | None = None) -> Self:
        """Return the workspace as it is now.

        Raises ``WorkspaceError`` if no run has begun in it, or another version of this program ran in it.
        """
        inventory = Inventory.read(workspace.inventory)
        if inventory is None:
            raise WorkspaceError(f"no run has begun in {workspace}: it has no {workspace.inventory.name}")
        return cls(workspace, inventory, _config_in(workspace.config), human)

    @cached_property
    def tables(self) -> RunTables:
        """The rows that are there."""
        return RunTables(self.inventory, self.workspace.store)

    @cached_property
    def status(self) -> RunStatus:
        """How far each table is, and how fast it went."""
        return RunStatus(self.inventory, self.workspace.store, self.tickets)

    @cached_property
    def tickets(self) -> list[TicketLine]:
        """What the run has noted of its tickets, in the order in which they were done."""
        return ticket_lines(self.workspace.ticket_log)

    @cached_property
    def funnel(self) -> Funnel:
        """Where everything went so far."""
        return read_funnel(self._places, self.workspace.store)

    @cached_property
    def audit(self) -> Audit | None:
        """What was found on the pairs when the run ended; None before that.

        What an earlier run found, on less speech or by other versions of metrics, is of other pairs.
        """
        found = read_audit(self.workspace.audit)
        return found if found is not None and found.key == self.inventory.audit_key else None

    @cached_property
    def lineage(self) -> Lineage | None:
        """The rounds before; None for a run that is not one of several."""
        begun = None if self.config.round is None else read_round(self.workspace.round)
        return None if begun is None else begun.lineage

    @cached_property
    def rounds(self) -> Sequence[RoundSummary]:
        """The rounds before, and this one once its dataset is there."""
        earlier = () if self.lineage is None else self.lineage.earlier
        own = read_description(self.workspace.dataset, self.inventory.dataset_key)
        judges = {} if self.audit is None else self.audit.win_rates
        return earlier if own is None else (*earlier, round_summary_of(own, judges))

    @property
    def _places(self) -> FunnelTables:
        folders = {table.name: table.folder for table in self.inventory.tables}
        return FunnelTables(
            ingest=folders["ingest"],
            degrade=folders["degrade"],
            restores=tuple(self.tables.folders("restore").values()),
            scores=tuple(self.tables.folders("score").values()),
            prefer=folders["prefer"],
            shards=self.inventory.shards[SPEECH],
            criteria=frozenset(criterion.metric for criterion in self.inventory.criteria),
            sides=tuple(side for side, share in self.config.ingest.splits.items() if share > 0),
        )


def _config_in(file: StoredFile) -> Config:
    try:
        return Config.model_validate_json(file.read())
    except (OSError, ValidationError) as error:
        raise WorkspaceError(
            f"{file} is not there, is damaged, or was written by another version of this program; 'run' with "
            "the same config writes it anew"
        ) from error
