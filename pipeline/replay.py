"""Replaying: a row of a published dataset made again, from its recipe and the tables that it came from."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.export import Exported
from pipeline.inventory import Inventory
from pipeline.pool_audio import PoolAudio
from pipeline.workspace import Workspace
from schemas import (
    AppliedStep,
    EncodedAudio,
    Ingested,
    IntegrityError,
    OperatorSpec,
    Recipe,
    Segment,
    UserError,
    WorkspaceError,
)
from stages.audio_memory import AudioMemory
from stages.degrade import DegradeInput, DegradeStage
from stages.flac import BITS, at_bits, digest_of

COLUMNS = ("pair_id", "utterance_id", "source_id", "corpus", "split", "recipe", "bandwidth_hz")
SIDES = ("degraded", "clean")


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """What a dataset says of one pair, as far as its degraded side goes."""

    pair_id: str
    recipe: Mapping[str, Any]
    texts: Mapping[str, Any]
    digests: Mapping[str, str]

    @property
    def steps(self) -> tuple[OperatorSpec, ...]:
        """The drawn operators."""
        return tuple(OperatorSpec.model_validate(step) for step in self.recipe["steps"])


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


def published_row(dataset: Path, name: str) -> PublishedRow:
    """Return the row of ``dataset`` with this ``pair_id`` or number, counted from 0 over all files.

    Raises ``UserError`` if there is none.
    """
    files = sorted((dataset / "pairs").glob("*.parquet"))
    if not files:
        raise UserError(f"{dataset} is no dataset of this program: it has no files in 'pairs'")
    number = 0
    for file in files:
        ids = pq.read_table(file, columns=["pair_id"]).column("pair_id").to_pylist()
        for index, pair_id in enumerate(ids):
            if name in {pair_id, str(number + index)}:
                return _read(file, index)
        number += len(ids)
    raise UserError(f"{dataset} has no row {name!r}: give a pair_id, or a number from 0 to {number - 1}")


def _read(file: Path, index: int) -> PublishedRow:
    with pq.ParquetFile(file) as opened:
        first = 0
        for group in range(opened.num_row_groups):
            held = opened.metadata.row_group(group).num_rows
            if index < first + held:
                table = opened.read_row_group(group, columns=[*COLUMNS, *SIDES])
                (row,) = table.slice(index - first, 1).to_pylist()
                return _published(row)
            first += held
    raise IntegrityError(f"{file} has fewer rows than it says")


def _published(row: Mapping[str, Any]) -> PublishedRow:
    return PublishedRow(
        pair_id=row["pair_id"],
        recipe=json.loads(row["recipe"]),
        texts={name: row[name] for name in COLUMNS},
        digests={side: digest_of(row[side]["bytes"]) for side in SIDES},
    )


class Replayer:
    """Makes rows again from the tables of a workspace, those of the run that made the dataset."""

    def __init__(self, workspace: Workspace, said: Exported | None = None) -> None:
        """Take the tables of the dataset that ``said`` is of; those of the latest run if that is not known.

        Raises ``WorkspaceError`` if they are not there.
        """
        inventory = None if said is None else Inventory.read(workspace.inventory_of(said.key))
        inventory = inventory or Inventory.read(workspace.inventory)
        if inventory is None:
            raise WorkspaceError(
                f"{workspace.root} is no workspace: there is no {workspace.inventory.name} in it; say with "
                "--workspace where the tables are that the dataset was made from"
            )
        self._inventory = inventory
        self._store = workspace.store
        self._audio_bits = BITS if said is None else said.audio_bits
        self._refuse_pruned()

    def replay(self, row: PublishedRow) -> Replay:
        """Return the row, made again. Raises ``UnknownOperatorError`` for operators of another version."""
        segment, shard = self._utterance(row.recipe["utterance_id"])
        memory = AudioMemory()
        pools = PoolAudio(self._store, list(_pools(self._inventory)), memory)
        level = self._store.metadata(self._folder("degrade"), shard)["spec"]["level"]
        stage = DegradeStage(pools, memory, level, self._inventory.weights)
        (made,) = stage.process([DegradeInput(_recipe(row, segment), segment.audio)])
        sides = {"degraded": made.degraded, "clean": made.clean}
        digests = {
            side: at_bits(audio, self._audio_bits).digest
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


@dataclass(frozen=True, slots=True)
class _Shard:
    name: str


@dataclass(frozen=True, slots=True)
class _Pool:
    pool: str
    folder: str
    shards: tuple[_Shard, ...]


def _pools(inventory: Inventory) -> Iterator[_Pool]:
    for entry, shards in inventory.places():
        if entry.name.startswith("pool."):
            pool = entry.name.removeprefix("pool.").rpartition(".")[0]
            yield _Pool(pool, entry.folder, tuple(_Shard(name) for name in shards))


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
