"""Replaying: a row of a published dataset made again, from its recipe and the tables that it came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.dataset.description import DatasetDescription
from pipeline.dataset.published import PublishedRow
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import Inventory
from pipeline.tables.pool_audio import PoolAudio, PoolShards
from schemas import AppliedStep, EncodedAudio, Ingested, IntegrityError, Recipe, Segment, WorkspaceError
from stages.audio.cache import AudioCache
from stages.audio.flac import FLAC_BITS, round_to_bits
from stages.degrade.stage import DegradeInput, DegradeStage

_TOLERANCE = 1e-6
"""Figures that were measured on another processor may differ in their last digits."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A row made again."""

    row: PublishedRow
    utterance: EncodedAudio
    applied: tuple[AppliedStep, ...]
    digests: Mapping[str, str]

    @property
    def is_equal(self) -> bool:
        """Whether every sample of both sides is what was published."""
        return self.digests == self.row.digests

    @property
    def untrue_steps(self) -> tuple[int, ...]:
        """The numbers, from 1, of steps that did something else here than the row says of them."""
        both = enumerate(zip(self.row.applied, self.applied, strict=True), start=1)
        return tuple(number for number, (published, done) in both if not _agree(published, done))


def _agree(published: AppliedStep, done: AppliedStep) -> bool:
    if published.facts.keys() != done.facts.keys():
        return False
    both = ((published.facts[name], done.facts[name]) for name in published.facts)
    return all(np.shape(a) == np.shape(b) and np.allclose(a, b, _TOLERANCE, _TOLERANCE) for a, b in both)


class Replayer:
    """Makes rows again from the tables of a workspace, those of the run that made the dataset."""

    def __init__(self, workspace: Workspace, said: DatasetDescription | None = None) -> None:
        """Take the tables of the dataset that ``said`` is of; those of the latest run if that is not known.

        Raises ``WorkspaceError`` if they are not there.
        """
        inventory = None if said is None else Inventory.read(workspace.inventory_of(said.key))
        inventory = inventory or Inventory.read(workspace.inventory)
        if inventory is None:
            raise WorkspaceError(
                f"{workspace} is no workspace: there is no {workspace.inventory.name} in it; say with "
                "--workspace where the tables are that the dataset was made from"
            )
        self._inventory = inventory
        self._store = workspace.store
        self._audio_bits = FLAC_BITS if said is None else said.audio_bits
        self._refuse_pruned()

    def replay(self, row: PublishedRow) -> Replay:
        """Return the row, made again. Raises ``UnknownOperatorError`` for operators of another version."""
        segment, shard = self._utterance(row.recipe["utterance_id"])
        cache = AudioCache()
        pools = PoolAudio(self._store, list(_pools(self._inventory)), cache)
        level = self._store.metadata(self._folder("degrade"), shard)["spec"]["level"]
        stage = DegradeStage(pools, cache, level, self._inventory.weights)
        (made,) = stage.process([DegradeInput(_recipe(row, segment), segment.audio)])
        sides = {"degraded": made.degraded, "clean": made.clean}
        digests = {
            side: round_to_bits(audio, self._audio_bits).digest
            for side, audio in sides.items()
            if audio is not None
        }
        return Replay(row, segment.audio, made.applied, digests)

    def _utterance(self, name: str) -> tuple[Segment, str]:
        """Return the utterance as it was ingested, and the shard that it is in."""
        folder = self._folder("ingest")
        for shard in dict(self._places())["ingest"]:
            described = self._store.read(folder, shard, Ingested, audio=False)
            if any(segment.id == name for source in described for segment in source.segments):
                whole = self._store.read(folder, shard, Ingested)
                found = (s for source in whole for s in source.segments if s.id == name)
                return next(found), shard
        raise IntegrityError(f"the workspace has no utterance {name!r}")

    def _refuse_pruned(self) -> None:
        """Raise ``WorkspaceError`` unless all that recipes are made from is still there."""
        for entry, shards in self._inventory.places():
            is_source = entry.name in {"ingest", "degrade"} or entry.name.startswith("pool.")
            if is_source and not self._store.shards(entry.folder).issuperset(shards):
                raise WorkspaceError(
                    f"the table {entry.folder} is not whole: 'run' with the config that made the dataset, "
                    f"{self._inventory.config_name!r}, makes it again"
                )

    def _folder(self, table: str) -> str:
        return next(entry.folder for entry in self._inventory.tables if entry.name == table)

    def _places(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return ((entry.name, shards) for entry, shards in self._inventory.places())


def _pools(inventory: Inventory) -> Iterator[PoolShards]:
    for entry, shards in inventory.places():
        if entry.name.startswith("pool."):
            pool = entry.name.removeprefix("pool.").rpartition(".")[0]
            yield PoolShards(pool, entry.folder, shards)


def _recipe(row: PublishedRow, segment: Segment) -> Recipe:
    texts = {name: row.texts[name] for name in ("source_id", "corpus", "split", "bandwidth_hz")}
    return Recipe.model_validate(
        {
            **texts,
            **row.recipe,
            "id": f"{segment.id}:{row.recipe['repeat']}",
            "sample_rate": segment.audio.sample_rate,
            "num_samples": segment.audio.num_samples,
        }
    )
