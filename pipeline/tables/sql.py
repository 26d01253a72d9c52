"""The tables of a run as SQL: what is finished by now, with rows of rows laid flat."""

from glob import escape
from typing import Any

import pyarrow as pa

from pipeline.store.arrow import schema_of
from pipeline.store.table_store import TableStore, leaf_paths
from pipeline.tables.inventory import SPEECH, Inventory
from schemas import (
    Degraded,
    Ingested,
    IntegrityError,
    Preference,
    Recipe,
    Record,
    Restored,
    Scored,
    WorkspaceError,
)

_TABLE = "regexp_replace(folder, '-[0-9a-f]{16}$', '')"

VIEWS = {
    "utterances": """
        SELECT s.id AS id, unnest(s.probe) FROM (SELECT unnest(segments) AS s FROM ingest_rows)""",
    "recipes": """
        SELECT id, utterance_id, source_id, corpus, repeat, split, speaker, transcript, language, licence,
               sample_rate, num_samples / sample_rate AS duration_s, bandwidth_hz, steps, shard
        FROM plan_rows""",
    "degraded": "SELECT id, status, reason, detail, joint_gain_db, applied, shard FROM degrade_rows",
    "takes": """
        SELECT id, model, t.take, t.status, t.reason, t.detail, t.settings, t.lag_samples,
               t.length_change_s, t.level_gain_db, folder, shard
        FROM (SELECT *, unnest(takes) AS t FROM restore_rows)""",
    "scores": """
        SELECT id, model, t.take, s.name, s.value, s.status, s.reason, s.detail, folder, shard
        FROM (SELECT *, unnest(t.scores) AS s FROM (SELECT *, unnest(takes) AS t FROM score_rows))""",
    "pairs": """
        SELECT id || '/' || number AS pair_id, id, number, p.chosen_model, p.chosen_take,
               p.rejected_model, p.rejected_take, p.strength, p.margins, shard
        FROM (SELECT id, shard, unnest(range(len(pairs))) AS number, unnest(pairs) AS p FROM prefer_rows)""",
    "missing_values": " UNION ALL ".join(
        f"SELECT {_TABLE} AS table_name, id, status, reason, detail FROM {rows} "  # noqa: S608 - our own names
        "WHERE reason IS NOT NULL AND reason <> 'no_value_upstream'"
        for rows in (
            "ingest_rows",
            "plan_rows",
            "degrade_rows",
            "restore_rows",
            "takes",
            "score_rows",
            "scores",
        )
    ),
}
"""``missing_values`` are rows, takes and scores without a value, but for those that lack an ancestor's."""

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
        root = store.path()  # allowed as it is, and as the pattern that stands for it alone
        self._sql.execute("SET allowed_directories = $1", [[root, escape(root)] if root else []])
        self._sql.execute("SET enable_external_access = false")
        for stage in RECORDS:
            self._bring_in(stage)
        try:
            for name, view in VIEWS.items():
                self._sql.execute(f"CREATE VIEW {name} AS {view}")
        except duckdb.BinderException as error:
            raise WorkspaceError(
                f"tables in {store.workspace} were written by another version of this program, without all "
                "columns of this one; 'run' with the same config makes them anew"
            ) from error

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query over the views; ``values`` stand for its ``?``."""
        import duckdb  # noqa: PLC0415 - half of what starting a command takes

        try:
            found = self._sql.execute(query, values)
        except duckdb.Error as error:
            self._name_damaged(error)
            raise
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def folders(self, stage: str) -> dict[str, str]:
        """Return the folders of a stage's tables by their names."""
        return {t.name: t.folder for t in self.inventory.tables if t.name.partition(".")[0] == stage}

    def shards(self, folder: str) -> list[str]:
        """Return the shards of a table of speech that are there by now, in order."""
        there = self.store.shards(folder)
        return [shard for shard in self.inventory.shards.get(SPEECH, ()) if shard in there]

    def _name_damaged(self, error: Exception) -> None:
        """Raise ``DamagedFileError`` for the shard that a query has stumbled over, if one can be found."""
        for stage, record in RECORDS.items():
            light = [path for path in leaf_paths(record) if not path.endswith("flac")]
            for folder in self.folders(stage).values():
                for shard in self.shards(folder):
                    self.store.columns(folder, shard, light)
        if "Failed to read" in str(error) or "Invalid Input" in str(error):
            raise IntegrityError(
                f"a table in {self.store.workspace} cannot be read: {str(error).splitlines()[0]}"
            ) from error

    def _bring_in(self, stage: str) -> None:
        """Put all rows of a stage, without their audio, under its name followed by ``_rows``."""
        rows, record = f"{stage}_rows", RECORDS[stage]
        files = [(f, shard) for f in self.folders(stage).values() for shard in self.shards(f)]
        if not files:
            self._sql.register(rows, _add_location(schema_of(record).empty_table(), "", ""))
            return
        paths = [path for file in files if (path := self.store.path(*file)) is not None]
        if stage in {"ingest", "restore"} or not paths:
            # their audio lies inside lists, where SQL would read it
            light = [path for path in leaf_paths(record) if not path.endswith("flac")]
            read = (_add_location(self.store.columns(f, shard, light), f, shard) for f, shard in files)
            self._sql.register(rows, pa.concat_tables(read))
        else:
            for file in files:
                self.store.metadata(*file)
            # to read_parquet a path is a pattern, and a workspace may lie in a folder with brackets
            read = self._sql.read_parquet([escape(path) for path in paths], filename=True)
            read.project(f"*, {_PLACE}").create_view(rows)


def _add_location(table: pa.Table, folder: str, shard: str) -> pa.Table:
    """Return the rows of a shard with where they lie."""
    for name, value in (("folder", folder), ("shard", shard)):
        table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table
