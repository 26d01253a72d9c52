"""The tables of recordings that are scored as they are: what was given, and one metric's scores of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.config.operators import MetricSetup
from pipeline.sources.audio import open_source
from pipeline.sources.given_files import CLEAN_CORPUS, item_of
from pipeline.sources.shards import Shard
from pipeline.tables.scores import MetricTable
from pipeline.tables.table import PoolTable, Table, TableReader
from pipeline.tables.tickets import Ticket
from schemas import Degraded, Given, Recipe, Restored, Split, Take
from stages import score
from stages.ingest import given
from stages.stage import Stage


@dataclass(frozen=True)
class GivenTable(Table):
    """Recordings as they were found, each with its clean reference; a shard has both among its sources."""

    record = Given

    @property
    def name(self) -> str:
        return "given"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {"version": given.VERSION}

    @property
    def reads(self) -> tuple[Table, ...]:
        return ()

    def stage(self, reader: TableReader) -> Stage[given.GivenInput, Given]:  # noqa: ARG002
        return given.GivenStage(open_source)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[given.GivenInput]:  # noqa: ARG002
        clean = {item_of(source): source for source in shard.sources if source.corpus == CLEAN_CORPUS}
        candidates = [source for source in shard.sources if source.corpus != CLEAN_CORPUS]
        return [given.GivenInput(each, clean.get(item_of(each)), item_of(each)) for each in candidates]


@dataclass(frozen=True)
class GivenScoreTable(MetricTable):
    """One metric's scores of what was given, by the stage that scores takes in a run."""

    given: GivenTable
    setup: MetricSetup

    @property
    def name(self) -> str:
        return f"score.{self.setup.name}"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {**self.setup.identity, "given": self.given.key}

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.given,)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[score.ScoreInput]:
        return [score_input_of(row) for row in reader.rows(self.given, shard.name)]


def score_input_of(row: Given) -> score.ScoreInput:
    """Return what the stage that scores takes is given: the one take of a model, and its reference."""
    outcome = row.fields
    takes = () if row.audio is None else (Take(take=0, audio=row.audio),)
    takes = takes or (Take(take=0, **outcome),)
    lengths = {"sample_rate": 1, "num_samples": 1, "bandwidth_hz": 0.0}  # metrics look at the audio
    recipe = Recipe(
        id=row.id,
        utterance_id=row.item,
        source_id=row.id,
        corpus=row.model,
        repeat=0,
        split=Split.TEST,
        transcript=row.transcript,
        language=row.language,
        steps=(),
        sources=(),
        **lengths,
    )
    restored = Restored(id=row.id, model=row.model, takes=takes)
    return score.ScoreInput(recipe, Degraded(id=row.id, clean=row.clean), restored)


@dataclass(frozen=True)
class GivenGraph:
    """All tables and shards of recordings that are scored as they are."""

    given: GivenTable
    scores: tuple[GivenScoreTable, ...]
    shards: tuple[Shard, ...]

    @property
    def pools(self) -> tuple[PoolTable, ...]:
        """None: nothing is drawn."""
        return ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table."""
        return (self.given, *self.scores)

    @cached_property
    def tickets(self) -> tuple[Ticket, ...]:
        """Every table × shard, shard by shard."""
        return tuple(Ticket(table, shard) for shard in self.shards for table in self.tables)


def given_graph_of(metrics: Sequence[MetricSetup], shards: Sequence[Shard]) -> GivenGraph:
    """Return the tables of a panel over the shards."""
    table = GivenTable()
    return GivenGraph(table, tuple(GivenScoreTable(table, setup) for setup in metrics), tuple(shards))
