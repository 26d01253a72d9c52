"""The tables of recordings without a clean reference: ingested, restored, and scored beside their takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.config.annotation import ResolvedAnnotation
from pipeline.config.operators import MetricSetup, RestorerSetup
from pipeline.sources.shards import Shard
from pipeline.tables.scores import MetricTable
from pipeline.tables.speech import IngestTable, TakesTable, describe_restorer, walk_together
from pipeline.tables.table import PoolTable, Table, TableReader
from pipeline.tables.tickets import Ticket
from schemas import Degraded, Ingested, Recipe, Restored, Segment, Take
from stages import score
from stages.prefer.annotation import AS_RECORDED


def walk_stretches(ingested: Sequence[Ingested]) -> Iterator[tuple[Ingested, Segment]]:
    """Walk the stretches of recordings that are restored, each with the recording that it is of."""
    return ((row, segment) for row in ingested for segment in row.segments)


@dataclass(frozen=True)
class RealRestoreTable(TakesTable):
    """All takes of one model of recordings as they are: nobody damaged them, and there is no reference."""

    ingest: IngestTable
    setup: RestorerSetup
    seed: int

    @property
    def take_seed(self) -> int:
        return self.seed

    @property
    def spec(self) -> Mapping[str, Any]:
        return {**describe_restorer(self.setup), "seed": self.seed, "recordings": self.ingest.key}

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.ingest,)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[Degraded]:
        rows = reader.rows(self.ingest, shard.name)
        return [Degraded(id=segment.id, degraded=segment.audio) for _, segment in walk_stretches(rows)]


@dataclass(frozen=True)
class RealScoreTable(MetricTable):
    """One metric's scores of all takes of one model, or of the recordings themselves.

    What compares with a clean reference compares with the recording.
    """

    ingest: IngestTable
    setup: MetricSetup
    restore: RealRestoreTable | None
    """None for the recordings themselves."""

    @property
    def name(self) -> str:
        return f"score.{self.setup.name}.{AS_RECORDED if self.restore is None else self.restore.setup.name}"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {**self.setup.identity, "of": (self.restore or self.ingest).key}

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.ingest,) if self.restore is None else (self.ingest, self.restore)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[score.ScoreInput]:
        stretches = list(walk_stretches(reader.rows(self.ingest, shard.name)))
        if self.restore is None:
            restored = [_as_take(segment) for _, segment in stretches]
        else:
            restored = list(reader.rows(self.restore, shard.name))
        together = walk_together([segment_row_of(segment) for _, segment in stretches], restored)
        return [
            score.ScoreInput(_recipe_of(row, segment), heard, takes)
            for (row, segment), (heard, takes) in zip(stretches, together, strict=True)
        ]


def segment_row_of(segment: Segment) -> Degraded:
    """Return a stretch as what takes are compared with."""
    return Degraded(id=segment.id, degraded=segment.audio, clean=segment.audio)


def _as_take(segment: Segment) -> Restored:
    return Restored(id=segment.id, model=AS_RECORDED, takes=(Take(take=0, audio=segment.audio),))


def _recipe_of(row: Ingested, segment: Segment) -> Recipe:
    """Return what metrics ask of a recording: who says what, in which language."""
    return Recipe(
        id=segment.id,
        utterance_id=segment.id,
        source_id=row.id,
        corpus=row.corpus,
        repeat=0,
        split=row.split,
        speaker=row.speaker,
        transcript=row.transcript,
        language=row.language,
        licence=row.licence,
        sample_rate=segment.audio.sample_rate,
        num_samples=segment.audio.num_samples,
        bandwidth_hz=segment.probe.bandwidth_hz,
        steps=(),
        sources=(),
    )


@dataclass(frozen=True)
class AnnotationGraph:
    """All tables and shards of recordings that are annotated."""

    ingest: IngestTable
    restores: tuple[RealRestoreTable, ...]
    scores: tuple[RealScoreTable, ...]
    shards: tuple[Shard, ...]

    @property
    def pools(self) -> tuple[PoolTable, ...]:
        """None: nothing is drawn."""
        return ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table."""
        return (self.ingest, *self.restores, *self.scores)

    @cached_property
    def tickets(self) -> tuple[Ticket, ...]:
        """Every table × shard, shard by shard."""
        return tuple(Ticket(table, shard) for shard in self.shards for table in self.tables)


def annotation_graph_of(run: ResolvedAnnotation, shards: Sequence[Shard]) -> AnnotationGraph:
    """Return the tables of an annotation over the shards."""
    ingest = IngestTable(run.config.ingest)
    restores = tuple(RealRestoreTable(ingest, setup, run.config.seed) for setup in run.restorers)
    of_recordings = [
        RealScoreTable(ingest, setup, None) for setup in run.metrics if not setup.metric.needs_clean
    ]
    of_takes = [RealScoreTable(ingest, setup, table) for table in restores for setup in run.metrics]
    return AnnotationGraph(ingest, restores, (*of_recordings, *of_takes), tuple(shards))
