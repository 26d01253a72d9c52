"""Reading a finished run for its dataset: the tables of a shard side by side, a few rows at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.store.table_store import TableStore
from pipeline.tables.graph import Graph
from pipeline.tables.speech import walk_together
from schemas import Degraded, EncodedAudio, Preference, Recipe, Restored, Score, Take
from stages.audio.flac import round_to_bits

Key = tuple[str, int]
"""A model and the number of one of its takes."""
Encoding = Callable[[EncodedAudio], EncodedAudio]


@dataclass(frozen=True, slots=True)
class Restoration:
    """One take with all its scores."""

    model: str
    take: Take
    scores: Mapping[str, Score]
    same_audio_as: tuple[str, ...]
    """Other restorations that are the same recording, as ``model/take``: together they are one candidate."""


@dataclass(frozen=True, slots=True)
class DegradedUtterance:
    """One degraded utterance, and all that was made of it."""

    recipe: Recipe
    damage: Degraded
    restorations: Mapping[Key, Restoration]
    preference: Preference


def read_degraded_utterances(graph: Graph, store: TableStore, audio_bits: int) -> Iterator[DegradedUtterance]:
    """Walk the degraded utterances of a run, their audio at ``audio_bits``, in the order of shards.

    Only a few rows of each table are in memory at a time, whatever the size of shards.
    """
    for shard in graph.shards:
        yield from _of_shard(graph, store, shard.name, partial(round_to_bits, bits=audio_bits))


def _of_shard(graph: Graph, store: TableStore, shard: str, encoded: Encoding) -> Iterator[DegradedUtterance]:
    scores = _scores(graph, store, shard)
    tables = (graph.plan, graph.degrade, graph.prefer, *graph.restores)
    walks = [store.walk(table.folder, shard, table.record) for table in tables]
    for recipe, damage, preference, *models in walk_together(*walks):
        others = _same_audio_in(models)
        restorations = {
            key: Restoration(row.model, take, scores.get((row.id, *key), {}), others.get(key, ()))
            for row in models
            for take in _takes(row, encoded)
            for key in [(row.model, take.take)]
        }
        sides = {side: _encode_at(getattr(damage, side), encoded) for side in ("degraded", "clean")}
        yield DegradedUtterance(recipe, damage.model_copy(update=sides), restorations, preference)


def _same_audio_in(rows: Sequence[Restored]) -> Mapping[Key, tuple[str, ...]]:
    """Return which restorations are the same recording as others, and which others."""
    groups: defaultdict[str, list[Key]] = defaultdict(list)
    for row in rows:
        for take in row.takes:
            if take.audio is not None:
                groups[take.audio.digest].append((row.model, take.take))
    return {
        key: tuple(f"{model}/{take}" for model, take in keys if (model, take) != key)
        for keys in groups.values()
        if len(keys) > 1
        for key in keys
    }


def _scores(graph: Graph, store: TableStore, shard: str) -> Mapping[tuple[str, str, int], dict[str, Score]]:
    scores: dict[tuple[str, str, int], dict[str, Score]] = {}
    for table in graph.scores:
        for row in store.read(table.folder, shard, table.record):
            for take in row.takes:
                named = scores.setdefault((row.id, row.model, take.take), {})
                named.update({score.name: score for score in take.scores})
    return scores


def _takes(row: Restored, encoded: Encoding) -> Iterator[Take]:
    for take in row.takes:
        yield take if take.audio is None else take.model_copy(update={"audio": encoded(take.audio)})


def _encode_at(audio: EncodedAudio | None, encoded: Encoding) -> EncodedAudio | None:
    return None if audio is None else encoded(audio)
