"""All tables and shards of a run in a workspace: the whole of the work, before any of it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.config.resolve import ResolvedConfig, RestorerSetup
from pipeline.config.schema import PoolFiles, PoolPart, PoolRooms, PoolSynthesis
from pipeline.sources.corpora import Corpus
from pipeline.sources.shards import Shard
from pipeline.store.workspace import Workspace
from pipeline.tables.listing import Listing, ListingProgress
from pipeline.tables.pools import NoisePoolTable, RecordedPoolTable, RoomPoolTable
from pipeline.tables.scores import PreferTable, ScoreTable
from pipeline.tables.speech import CleanTable, DegradeTable, IngestTable, PlanTable, RestoreTable
from pipeline.tables.table import PoolTable, Table
from pipeline.tables.tickets import Ticket
from schemas import Source
from schemas.rows import CLEAN
from stages.ingest.made_pools import NoiseSettings, RoomSettings
from stages.ingest.pools import PoolSettings
from stages.operators.licences import most_restrictive_of
from stages.plan.chain import steps_in
from stages.restorers.identity import Identity

MADE_POOL_RATE = 48_000
"""For pools that are made, when speech keeps its native rates."""
ROOMS_PER_SHARD = 8
CLEAN_SETUP = RestorerSetup(CLEAN, Identity(), takes=1, draws={}, gpus=0.0)
"""The clean reference as a candidate: nothing is done to the clean side."""
MADE_LICENCE = "CC0-1.0"
"""Of rooms and noises that nobody recorded."""


@dataclass(frozen=True)
class Graph:
    """The tables, in an order in which each comes after what it is made from, and the shards of speech."""

    pools: tuple[PoolTable, ...]
    ingest: IngestTable
    plan: PlanTable
    degrade: DegradeTable
    restores: tuple[RestoreTable, ...]
    scores: tuple[ScoreTable, ...]
    prefer: PreferTable
    shards: tuple[Shard, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table of the run."""
        return (*self.pools, *self.speech_tables)

    @property
    def speech_tables(self) -> tuple[Table, ...]:
        """The tables that have the shards of speech."""
        return (self.ingest, self.plan, self.degrade, *self.restores, *self.scores, self.prefer)

    @cached_property
    def tickets(self) -> tuple[Ticket, ...]:
        """Every table × shard, pools first, then shard by shard."""
        pools = [Ticket(table, shard) for table in self.pools for shard in table.shards]
        speech = [Ticket(table, shard) for shard in self.shards for table in self.speech_tables]
        return (*pools, *speech)


def assemble(
    run: ResolvedConfig,
    workspace: Workspace,
    progress: ListingProgress = lambda _done, _total: None,
    *,
    keep: bool = True,
) -> Graph:
    """List speech and pools, give new recordings their shards, and return the graph of the run.

    Without ``keep`` nothing is written: new recordings have the shards that a run would give them now.
    """
    listing = Listing(run.config, workspace, progress, keep=keep)
    corpora = [c.model_copy(update={"path": run.path(c.path)}) for c in run.config.speech]
    speech = listing.sources(corpora)
    pools = tuple(_pools(run, listing))
    listing.remember()
    return graph_of(run, pools, listing.shards("speech", speech))


def graph_of(run: ResolvedConfig, pools: Sequence[PoolTable], shards: Sequence[Shard]) -> Graph:
    """Return the tables of ``run`` over given pools and shards."""
    config = run.config
    needed = {pool for part in run.chain for pool in part.pools}
    pools = tuple(table for table in pools if table.pool in needed)
    ingest = IngestTable(config.ingest)
    plan = PlanTable(ingest, run.chain, config.degradations.repeats, config.seed, pools)
    degrade = DegradeTable(plan, config.degradations.level)
    restores = tuple(RestoreTable(degrade, setup) for setup in run.restorers)
    if config.score_clean:
        restores = (*restores, CleanTable(degrade, CLEAN_SETUP))
    scores = tuple(ScoreTable(table, setup) for table in restores for setup in run.metrics)
    heard = {name for score in run.rules.scores for name in _owners(run, score)}
    votes = tuple(table for table in scores if table.setup.name in heard)
    prefer = PreferTable(plan, votes, run.rules)
    return Graph(pools, ingest, plan, degrade, restores, scores, prefer, tuple(shards))


def _owners(run: ResolvedConfig, score: str) -> Iterator[str]:
    return (setup.name for setup in run.metrics if score in setup.outputs)


def _pools(run: ResolvedConfig, listing: Listing) -> Iterator[PoolTable]:
    for pool, parts in sorted(run.config.pools.items()):
        for index, part in enumerate(parts):
            yield _pool(run, listing, (pool, index, part))


def _pool(run: ResolvedConfig, listing: Listing, place: tuple[str, int, PoolPart]) -> PoolTable:
    pool, index, part = place
    config = run.config
    rate = MADE_POOL_RATE if config.ingest.sample_rate == "native" else config.ingest.sample_rate
    common = {"pool": pool, "splits": config.ingest.splits}
    name = f"{pool}-{index}"
    match part:
        case PoolFiles():
            sources = listing.sources([_corpus_of(run, part, name)])
            settings = PoolSettings(holds="responses" if _holds_responses(run, pool) else "noise", **common)
            shards = listing.shards(f"pool.{name}", sources)
            return RecordedPoolTable(pool, index, settings, tuple(shards))
        case PoolRooms():
            rooms = RoomSettings(seed=config.seed, sample_rate=rate, ranges=part.ranges, **common)
            sources = [_make_source(name, f"room-{n:05d}", "simulated") for n in range(part.rooms)]
            return RoomPoolTable(pool, index, rooms, _make_shards(sources))
        case PoolSynthesis():
            noises = NoiseSettings(seed=config.seed, sample_rate=rate, duration_s=part.duration_s, **common)
            kinds = [(kind, n) for kind in part.synthesise for n in range(part.count)]
            voices = _voices(run, part, listing)
            sources = [_make_noise(name, kind, n, voices) for kind, n in kinds]
            return NoisePoolTable(pool, index, noises, _make_shards(sources), voices)


def _voices(run: ResolvedConfig, part: PoolSynthesis, listing: Listing) -> tuple[Source, ...]:
    if part.voices is None or "babble" not in part.synthesise:
        return ()
    voices = PoolFiles(path=part.voices)
    found = listing.sources([_corpus_of(run, voices, Path(run.path(part.voices)).stem)])
    return tuple(source for source in found if source.licence_allowed)


def _corpus_of(run: ResolvedConfig, part: PoolFiles, name: str) -> Corpus:
    """Return the recordings of ``part`` as a corpus.

    Speech of the run has the name that it has there, so that a speaker is on one side of the split
    everywhere, and an utterance is known as itself.
    """
    path = run.path(part.path)
    said = {"path": path, "audio": part.audio, "licence": part.licence, "speaker": part.speaker}
    for corpus in run.config.speech:
        if run.path(corpus.path) == path:
            return corpus.model_copy(update={key: value for key, value in said.items() if value is not None})
    return Corpus(name=name, **said)


def _holds_responses(run: ResolvedConfig, pool: str) -> bool:
    return any(
        drawn.pool == pool and name == "response"
        for step in steps_in(run.chain)
        for name, drawn in step.pool_draws.items()
    )


def _make_noise(corpus: str, kind: str, number: int, voices: Sequence[Source]) -> Source:
    """Return a noise to synthesise; babble is under the licences of its voices."""
    licences = [voice.licence for voice in voices] if kind == "babble" else []
    licence = most_restrictive_of([MADE_LICENCE, *licences])
    return _make_source(corpus, f"{kind}-{number:05d}", f"synthesised:{kind}", licence)


def _make_source(corpus: str, name: str, content: str, licence: str = MADE_LICENCE) -> Source:
    return Source(id=f"{corpus}/{name}", corpus=corpus, path="", name=name, content=content, licence=licence)


def _make_shards(sources: Sequence[Source]) -> tuple[Shard, ...]:
    starts = range(0, len(sources), ROOMS_PER_SHARD)
    return tuple(
        Shard(number, tuple(sources[start : start + ROOMS_PER_SHARD])) for number, start in enumerate(starts)
    )
