"""What a run set out to make, kept in the workspace: for those who look on from outside."""

from collections.abc import Iterator
from typing import Self

from pydantic import ValidationError

from pipeline.config.resolve import ResolvedConfig
from pipeline.store.files import StoredFile
from pipeline.tables.graph import Graph
from pipeline.tables.table import PoolTable, Table
from schemas import Digest, Record, WorkspaceError
from stages.operators.metric import Output
from stages.plan.chain import places_of
from stages.prefer.criteria import Criterion

SPEECH = "speech"


class TableEntry(Record):
    """A table and the list of shards that it will have."""

    name: str
    folder: str
    shards: str


class Inventory(Record):
    """All tables and shards of a run, in the order in which they are made."""

    config_name: str
    config_hash: str
    dataset_key: str
    audit_key: str = ""
    """Of the audit that the run makes when it ends; one with another key is of other shards or scores."""
    started_at_s: float
    """Seconds since 1970."""
    tables: tuple[TableEntry, ...]
    shards: dict[str, tuple[str, ...]]
    """Names of shards, by the name of their list: those of speech are the same for many tables."""
    weights: dict[Digest, str] = {}
    """Where weights lie here that recipes know by digest alone."""
    outputs: dict[str, Output] = {}
    """What each score means, by its name."""
    criteria: tuple[Criterion, ...] = ()
    """Who votes."""
    held_out: tuple[str, ...] = ()
    """Scores that take no part in choosing."""

    @classmethod
    def of(
        cls, run: ResolvedConfig, graph: Graph, *, dataset_key: str, audit_key: str, started_at_s: float
    ) -> Self:
        """Return the inventory of a run."""
        pools = {table.name: tuple(shard.name for shard in table.shards) for table in graph.pools}
        return cls(
            config_name=run.config.name,
            config_hash=run.config_hash,
            dataset_key=dataset_key,
            audit_key=audit_key,
            started_at_s=started_at_s,
            tables=tuple(_entry(table) for table in graph.tables),
            shards={SPEECH: tuple(shard.name for shard in graph.shards), **pools},
            weights=dict(places_of(graph.plan.chain)),
            outputs=run.outputs(),
            criteria=tuple(run.criteria),
            held_out=run.held_out,
        )

    @classmethod
    def read(cls, file: StoredFile) -> Self | None:
        """Return what is in a file, or None if no run has begun there.

        Raises ``WorkspaceError`` if it cannot be read.
        """
        try:
            return cls.model_validate_json(file.read())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise WorkspaceError(
                f"{file} cannot be read: it is damaged, or was written by another version of this program; "
                "'run' with the same config writes it anew"
            ) from error

    def write(self, file: StoredFile) -> None:
        """Keep it in a file."""
        file.put(self.model_dump_json(indent=1).encode())

    def places(self) -> Iterator[tuple[TableEntry, tuple[str, ...]]]:
        """Walk the tables with the names of their shards."""
        return ((table, self.shards[table.shards]) for table in self.tables)


def _entry(table: Table) -> TableEntry:
    shards = table.name if isinstance(table, PoolTable) else SPEECH
    return TableEntry(name=table.name, folder=table.folder, shards=shards)
