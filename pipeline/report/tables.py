"""The tables of a run as SQL: what is finished by now, also while others are filling the workspace."""

from typing import Any

import pyarrow as pa

from pipeline.arrow import schema_of
from pipeline.inventory import SPEECH, Inventory
from pipeline.report.views import VIEWS
from pipeline.store import TableStore, leaf_paths
from schemas import Degraded, Ingested, Preference, Recipe, Record, Restored, Scored, WorkspaceError

RECORDS: dict[str, type[Record]] = {
    "ingest": Ingested,
    "plan": Recipe,
    "degrade": Degraded,
    "restore": Restored,
    "score": Scored,
    "prefer": Preference,
}
"""What the rows of tables are, by the first part of the tables' names."""
_PLACE = "parse_path(filename)[-2] AS folder, parse_filename(filename, true) AS shard"


class RunTables:
    """The finished shards of a run behind the views of ``VIEWS``. Reads only, and only the workspace."""

    def __init__(self, inventory: Inventory, store: TableStore) -> None:
        import duckdb  # noqa: PLC0415 - half of what starting a command takes

        self.inventory = inventory
        self.store = store
        self._sql = duckdb.connect(config={"threads": 1})
        self._sql.execute("SET allowed_directories = $1", [[str(store.root.absolute())]])
        self._sql.execute("SET enable_external_access = false")
        for stage in RECORDS:
            self._bring_in(stage)
        try:
            for name, view in VIEWS.items():
                self._sql.execute(f"CREATE VIEW {name} AS {view}")
        except duckdb.BinderException as error:
            raise WorkspaceError(
                f"tables in {store.root.parent} were written by another version of this program, without all "
                "columns of this one; 'run' with the same config makes them anew"
            ) from error

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query over the views; ``values`` stand for its ``?``."""
        found = self._sql.execute(query, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def folders(self, stage: str) -> dict[str, str]:
        """Return the folders of a stage's tables by their names."""
        return {t.name: t.folder for t in self.inventory.tables if t.name.partition(".")[0] == stage}

    def shards(self, folder: str) -> list[str]:
        """Return the shards of a table of speech that are there by now, in order."""
        there = self.store.shards(folder)
        return [shard for shard in self.inventory.shards.get(SPEECH, ()) if shard in there]

    def _bring_in(self, stage: str) -> None:
        """Put all rows of a stage, without their audio, under its name followed by ``_rows``."""
        rows, record = f"{stage}_rows", RECORDS[stage]
        files = [(f, shard) for f in self.folders(stage).values() for shard in self.shards(f)]
        if not files:
            self._sql.register(rows, _add_location(schema_of(record).empty_table(), "", ""))
        elif stage == "restore":  # its audio lies inside lists, where SQL would read it
            paths = [path for path in leaf_paths(record) if not path.endswith("flac")]
            read = (_add_location(self.store.columns(f, shard, paths), f, shard) for f, shard in files)
            self._sql.register(rows, pa.concat_tables(read))
        else:
            paths = [str(self.store.path(*file).absolute()) for file in files]
            read = self._sql.read_parquet(paths, filename=True)
            read.project(f"*, {_PLACE}").create_view(rows)


def _add_location(table: pa.Table, folder: str, shard: str) -> pa.Table:
    """Return the rows of a shard with where they lie."""
    for name, value in (("folder", folder), ("shard", shard)):
        table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table
