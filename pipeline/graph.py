"""All tables and shards of a run in a workspace: the whole of the work, before any of it is done."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.catalogue import Shard, shards_of
from pipeline.config import Config, PoolFiles, PoolPart, PoolRooms, PoolSynthesis
from pipeline.contents import Stamp
from pipeline.judging_tables import PreferTable, ScoreTable
from pipeline.pool_tables import NoisePoolTable, RecordedPoolTable, RoomPoolTable
from pipeline.resolve import RestorerSetup, ResolvedConfig
from pipeline.source_audio import estimate_duration_s
from pipeline.sources import Corpus, list_sources
from pipeline.store import TableStore, write_whole
from pipeline.table import PoolTable, Table
from pipeline.tables import (
    CleanTable,
    DegradeTable,
    IngestTable,
    PlanTable,
    RestoreTable,
)
from pipeline.tickets import Board, Ticket
from schemas import Source
from stages.chain import steps_in
from stages.licences import is_allowed, most_restrictive_of
from stages.made_pool import NoiseSettings, RoomSettings
from stages.pair_rules import CLEAN
from stages.pool import PoolSettings
from stages.restorers.identity import Identity

ListingProgress = Callable[[int, int], None]
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

    def board(self, store: TableStore) -> Board:
        """Return the tickets, those whose shard exists marked as done."""
        done = {(table.folder, shard) for table in self.tables for shard in store.shards(table.folder)}
        return Board(self.tickets, done)


def assemble(
    run: ResolvedConfig, workspace: Path, progress: ListingProgress = lambda _done, _total: None, *, keep: bool = True
) -> Graph:
    """List speech and pools, give new recordings their shards, and return the graph of the run.

    Without ``keep`` nothing is written: new recordings have the shards that a run would give them now.
    """
    listing = Listing(run.config, workspace / "catalogue", progress, keep=keep)
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


class Listing:
    """What is found in folders and manifests now, and what a workspace remembers of it.

    Unchanged files are not read again, and what has a shard keeps it.
    """

    def __init__(self, config: Config, catalogue: Path, progress: ListingProgress, *, keep: bool) -> None:
        self._catalogue = catalogue
        self._shard_seconds = config.shard_seconds
        self._allow_licences = config.allow_licences
        self._progress = progress
        self._keep = keep
        self._before: dict[str, Stamp] = _stamps_in(self._stamps)
        self._now: dict[str, Stamp] = dict(self._before)

    @property
    def _stamps(self) -> Path:
        return self._catalogue / "stamps.json"

    def sources(self, corpora: Sequence[Corpus]) -> list[Source]:
        """Return the sources of ``corpora``, with the digests of their contents."""
        listing = list_sources(corpora, self._before, self._progress)
        self._now.update(listing.stamps)
        return [self._judged(source) for source in listing.sources]

    def _judged(self, source: Source) -> Source:
        allowed = is_allowed(source.licence, self._allow_licences)
        return source if allowed else source.model_copy(update={"licence_allowed": False})

    def shards(self, name: str, sources: Sequence[Source]) -> list[Shard]:
        """Return the shards of ``sources``."""
        path = self._catalogue / f"{name}.parquet"
        return shards_of(path, sources, self._shard_seconds, estimate_duration_s, keep=self._keep)

    def remember(self) -> None:
        """Keep what files looked like for the next run."""
        if self._keep and self._now != self._before:
            write_whole(self._stamps, json.dumps(self._now, sort_keys=True).encode())


def _stamps_in(path: Path) -> dict[str, Stamp]:
    if not path.is_file():
        return {}
    return {name: Stamp(*stamp) for name, stamp in json.loads(path.read_text()).items()}


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
    said = {"path": path, "licence": part.licence, "speaker": part.speaker}
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
