"""What one row of the dataset says: four recordings, who made them, every score of both sides."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.graph import Graph
from pipeline.row_licences import Licences
from pipeline.store import TableStore
from schemas import Degraded, EncodedAudio, Pair, Recipe, Score, Take
from stages.metrics.base import Better

AUDIO = ("degraded", "chosen", "rejected", "clean")
AUDIO_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
TEXTS = (
    "pair_id",
    "utterance_id",
    "source_id",
    "corpus",
    "split",
    "speaker",
    "transcript",
    "language",
    "licence",
    "row_licence",
    "chosen_model",
    "rejected_model",
    "chosen_settings",
    "rejected_settings",
    "recipe",
    "applied",
)
INTEGERS = (
    "sample_rate",
    "chosen_take",
    "rejected_take",
    "residual_lag_samples",
    "chosen_lag_samples",
    "rejected_lag_samples",
)
NUMBERS = ("duration_s", "bandwidth_hz", "joint_gain_db", "chosen_gain_db", "rejected_gain_db")


@dataclass(frozen=True, slots=True)
class Scored:
    """One candidate's audio and all its scores."""

    take: Take
    scores: Mapping[str, Score]


def pairs_schema(scores: Sequence[str], sample_rate: int | None) -> pa.Schema:
    """Return the Arrow schema of ``pairs``, with the features as ``datasets`` reads them."""
    fields = [pa.field(name, AUDIO_TYPE) for name in AUDIO]
    fields += [pa.field(name, pa.string()) for name in TEXTS]
    fields += [pa.field("degradations", pa.list_(pa.string()))]
    fields += [pa.field(name, pa.int64()) for name in INTEGERS]
    fields += [pa.field(name, pa.float64()) for name in NUMBERS]
    for side in ("chosen", "rejected", "margin"):
        fields += [pa.field(f"{side}_{score}", pa.float64()) for score in scores]
    fields += [pa.field("missing_scores", pa.string())]
    features = {field.name: _feature(field, sample_rate) for field in fields}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _feature(field: pa.Field, sample_rate: int | None) -> dict[str, Any]:
    if field.type == AUDIO_TYPE:
        rate = {} if sample_rate is None else {"sampling_rate": sample_rate}
        return {**rate, "_type": "Audio"}
    if pa.types.is_list(field.type):
        return {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"}
    dtype = {pa.string(): "string", pa.int64(): "int64", pa.float64(): "float64"}[field.type]
    return {"dtype": dtype, "_type": "Value"}


def pair_rows(graph: Graph, store: TableStore, better: Mapping[str, Better]) -> Iterator[dict[str, Any]]:
    """Walk all kept pairs in the order of the shards, as rows of ``pairs``."""
    licences = Licences(graph, store)
    for shard in graph.shards:
        preferences = store.read(graph.prefer.folder, shard.name, graph.prefer.record)
        if not any(row.pairs for row in preferences):
            continue
        recipes = store.read(graph.plan.folder, shard.name, graph.plan.record)
        degraded = store.read(graph.degrade.folder, shard.name, graph.degrade.record)
        candidates = _candidates(graph, store, shard.name)
        for recipe, damage, preference in zip(recipes, degraded, preferences, strict=True):
            for number, pair in enumerate(preference.pairs):
                sides = [
                    candidates[recipe.id, model, take]
                    for model, take in (
                        (pair.chosen_model, pair.chosen_take),
                        (pair.rejected_model, pair.rejected_take),
                    )
                ]
                row = _row(f"{recipe.id}/{number}", (recipe, damage, pair), sides, better)
                yield {**row, "row_licence": licences.of(recipe, pair)}


def _candidates(graph: Graph, store: TableStore, shard: str) -> dict[tuple[str, str, int], Scored]:
    scores: dict[tuple[str, str, int], dict[str, Score]] = {}
    for table in graph.scores:
        for row in store.read(table.folder, shard, table.record):
            for take in row.takes:
                named = scores.setdefault((row.id, row.model, take.take), {})
                named.update({score.name: score for score in take.scores})
    return {
        (row.id, row.model, take.take): Scored(take, scores[row.id, row.model, take.take])
        for table in graph.restores
        for row in store.read(table.folder, shard, table.record)
        for take in row.takes
        if take.audio is not None
    }


def _row(
    pair_id: str, of: tuple[Recipe, Degraded, Pair], sides: Sequence[Scored], better: Mapping[str, Better]
) -> dict[str, Any]:
    recipe, damage, pair = of
    chosen, rejected = sides
    row: dict[str, Any] = recipe.model_dump(include=set(TEXTS) - {"recipe", "row_licence"}, mode="json")
    row |= {
        "pair_id": pair_id,
        "degraded": _audio(damage.degraded, f"{pair_id}.degraded.flac"),
        "clean": _audio(damage.clean, f"{pair_id}.clean.flac"),
        "recipe": recipe.model_dump_json(include={"steps", "sources", "utterance_id", "repeat"}),
        "applied": json.dumps([step.model_dump() for step in damage.applied], sort_keys=True),
        "degradations": [step.kind for step in damage.applied if step.is_applied],
        "sample_rate": recipe.sample_rate,
        "duration_s": recipe.duration_s,
        "bandwidth_hz": recipe.bandwidth_hz,
        "joint_gain_db": damage.joint_gain_db,
        "residual_lag_samples": damage.residual_lag_samples,
        "missing_scores": _missing(chosen, rejected),
    }
    for side, model, scored in (
        ("chosen", pair.chosen_model, chosen),
        ("rejected", pair.rejected_model, rejected),
    ):
        row |= _side(side, model, scored, pair_id)
    row |= {f"margin_{name}": _margin(name, chosen, rejected, which) for name, which in better.items()}
    return row


def _side(side: str, model: str, scored: Scored, pair_id: str) -> dict[str, Any]:
    take = scored.take
    return {
        side: _audio(take.audio, f"{pair_id}.{side}.flac"),
        f"{side}_model": model,
        f"{side}_take": take.take,
        f"{side}_settings": json.dumps(take.settings, sort_keys=True),
        f"{side}_lag_samples": take.lag_samples,
        f"{side}_gain_db": take.level_gain_db,
        **{f"{side}_{name}": score.value for name, score in scored.scores.items()},
    }


def _margin(name: str, chosen: Scored, rejected: Scored, better: Better) -> float | None:
    a, b = (side.scores[name].value for side in (chosen, rejected))
    if a is None or b is None:
        return None
    return a - b if better is Better.HIGHER else b - a


def _missing(chosen: Scored, rejected: Scored) -> str:
    """Return the reason for each score that is not there, as JSON."""
    reasons = {
        f"{side}_{name}": str(score.reason)
        for side, scored in (("chosen", chosen), ("rejected", rejected))
        for name, score in scored.scores.items()
        if score.value is None
    }
    return json.dumps(reasons, sort_keys=True)


def _audio(audio: EncodedAudio | None, path: str) -> dict[str, Any] | None:
    return None if audio is None else {"bytes": audio.flac, "path": path.replace("/", "_")}
