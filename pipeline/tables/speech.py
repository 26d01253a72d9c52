"""The tables of speech that have its shards: ingested, planned, degraded, restored."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config.resolve import RestorerSetup
from pipeline.sources.audio import open_source
from pipeline.sources.shards import Shard
from pipeline.tables.table import PoolTable, Table, TableReader
from schemas import Degraded, Ingested, IntegrityError, Recipe, Record, Restored, Row, Source
from stages import degrade, ingest, plan, restore
from stages.plan.chain import Part, places_of
from stages.restore import clean
from stages.stage import Stage


def walk_together(*tables: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """Walk tables of the same rows side by side; rows that do not match are an error, never a guess."""
    for rows in zip(*tables, strict=True):
        if len({row.id for row in rows}) != 1:
            raise IntegrityError(f"tables disagree on their rows: {sorted({row.id for row in rows})}")
        yield rows


@dataclass(frozen=True)
class IngestTable(Table):
    """Decoded, probed, resampled speech."""

    settings: ingest.IngestSettings
    record = Ingested

    @property
    def name(self) -> str:
        return "ingest"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {"version": ingest.VERSION, "settings": self.settings.model_dump(mode="json")}

    @property
    def reads(self) -> tuple[Table, ...]:
        return ()

    def stage(self, reader: TableReader) -> Stage[Source, Ingested]:  # noqa: ARG002
        return ingest.IngestStage(self.settings, open_source)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[Source]:  # noqa: ARG002
        return shard.sources


@dataclass(frozen=True)
class PlanTable(Table):
    """One recipe per degraded utterance."""

    ingest: IngestTable
    chain: tuple[Part, ...]
    repeats: int
    seed: int
    pool_tables: tuple[PoolTable, ...]
    record = Recipe
    audio = False

    @property
    def name(self) -> str:
        return "plan"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {
            "version": plan.VERSION,
            "seed": self.seed,
            "repeats": self.repeats,
            "chain": [part.described for part in self.chain],
            "pools": [[table.pool, table.drawn_from] for table in self.pool_tables],
            "ingest": self.ingest.key,
        }

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.ingest,)

    @property
    def pools(self) -> tuple[PoolTable, ...]:
        return self.pool_tables

    def stage(self, reader: TableReader) -> Stage[plan.Planned, Recipe]:
        return plan.PlanStage(self.chain, self.seed, reader.pools(self.pool_tables))

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[plan.Planned]:
        return [
            plan.Planned(source, segment, repeat)
            for source in reader.rows(self.ingest, shard.name, audio=False)
            for segment in source.segments
            for repeat in range(self.repeats)
        ]


@dataclass(frozen=True)
class DegradeTable(Table):
    """Degraded speech and the reference it is judged by."""

    plan: PlanTable
    level: degrade.LevelRule
    record = Degraded

    @property
    def name(self) -> str:
        return "degrade"

    @property
    def spec(self) -> Mapping[str, Any]:
        return {"version": degrade.VERSION, "level": self.level, "plan": self.plan.key}

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.plan, self.plan.ingest)

    @property
    def pools(self) -> tuple[PoolTable, ...]:
        return self.plan.pool_tables

    def stage(self, reader: TableReader) -> Stage[degrade.DegradeInput, Degraded]:
        places = places_of(self.plan.chain)
        return degrade.DegradeStage(reader.audio_source(self.pools), reader.cache, self.level, places)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[degrade.DegradeInput]:
        ingested = reader.rows(self.plan.ingest, shard.name)
        audio = {segment.id: segment.audio for source in ingested for segment in source.segments}
        recipes = reader.rows(self.plan, shard.name)
        if unknown := {recipe.utterance_id for recipe in recipes} - audio.keys():
            raise IntegrityError(
                f"the plan of shard {shard.name} names what was not ingested: {sorted(unknown)}"
            )
        return [degrade.DegradeInput(recipe, audio[recipe.utterance_id]) for recipe in recipes]


class TakesTable(Table):
    """All takes of one restoration model; whoever derives says of what."""

    setup: RestorerSetup
    record = Restored

    @property
    @abstractmethod
    def take_seed(self) -> int:
        """What takes are drawn by."""

    @property
    def name(self) -> str:
        return f"restore.{self.setup.name}"

    @property
    def gpus(self) -> float:
        return self.setup.gpus

    @property
    def environment(self) -> str:
        return self.setup.restorer.environment

    def stage(self, reader: TableReader) -> Stage[Degraded, Restored]:
        return restore.RestoreStage(
            self.setup.name,
            self.setup.restorer,
            num_takes=self.setup.takes,
            draws=self.setup.draws,
            seed=self.take_seed,
            cache=reader.cache,
        )


@dataclass(frozen=True)
class RestoreTable(TakesTable):
    """All takes of one restoration model, of what was degraded."""

    degrade: DegradeTable
    setup: RestorerSetup

    @property
    def take_seed(self) -> int:
        return self.degrade.plan.seed

    @property
    def spec(self) -> Mapping[str, Any]:
        return {**describe_restorer(self.setup), "seed": self.take_seed, "degrade": self.degrade.key}

    @property
    def reads(self) -> tuple[Table, ...]:
        return (self.degrade,)

    def inputs(self, shard: Shard, reader: TableReader) -> Sequence[Degraded]:
        rows: Sequence[Degraded] = reader.rows(self.degrade, shard.name)
        return rows


@dataclass(frozen=True)
class CleanTable(RestoreTable):
    """The clean reference as the one take of a model called ``clean``, where a config asks for that."""

    @property
    def spec(self) -> Mapping[str, Any]:
        return {"version": clean.VERSION, "degrade": self.degrade.key}

    def stage(self, reader: TableReader) -> Stage[Degraded, Restored]:  # noqa: ARG002
        return clean.CleanStage()


def describe_restorer(setup: RestorerSetup) -> dict[str, Any]:
    """Return all that takes depend on besides their inputs and the seed."""
    restorer = setup.restorer
    return {
        "version": restore.VERSION,
        "name": setup.name,
        "kind": restorer.kind,
        "code": restorer.version,
        "params": restorer.fingerprint_params,
        "takes": setup.takes,
        "draws": _describe_draws(setup.draws),
    }


def _describe_draws(draws: Mapping[str, Record]) -> dict[str, Any]:
    return {name: draw.model_dump(mode="json") for name, draw in sorted(draws.items())}
