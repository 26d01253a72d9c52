"""A finished run of any size in a moment: its tables are made up, but for the decisions, which are real."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from pipeline.config.resolve import ResolvedConfig, resolve
from pipeline.operations.decide import redecide
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from schemas import Degraded, EncodedAudio, Ingested, Recipe, Restored, Row, Score, Scored, Take, TakeScores
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for

METRICS = ("first", "second", "third")
MODELS = 2
TAKES = 3
SAMPLE_RATE = 48_000


def write_run(
    folder: Path, *, shards: int, utterances: int, seconds: float, **changes: Any
) -> ResolvedConfig:
    """Write a finished run with so many utterances per shard, all of white noise of one length.

    The workspace is ``folder/workspace``; ``changes`` replace settings of the config.
    """
    run = resolve(_config(folder, shards * utterances, utterances, changes))
    graph = assemble(run, Workspace(folder / "workspace"))
    store = Workspace(folder / "workspace").store
    audio = [_noise(number, seconds) for number in range(2 + MODELS * TAKES)]
    for shard in graph.shards:
        _write_shard(graph, store, shard.name, [f"{source.id}:0" for source in shard.sources], audio)
    redecide(run, Workspace(folder / "workspace"), lambda _done, _total: None)
    return run


def _config(folder: Path, inputs: int, per_shard: int, changes: Mapping[str, Any]) -> Path:
    """Write speech of next to no length, and a config whose votes are one metric under several names."""
    (folder / "speech").mkdir(parents=True)
    for number in range(inputs):
        soundfile.write(folder / "speech" / f"{number:06d}.wav", np.full(800, number / inputs), 8_000)
    config: dict[str, Any] = {
        "name": "made",
        "shard_seconds": per_shard * 0.1,
        "speech": [{"name": "speech", "path": "speech", "licence": "CC0-1.0"}],
        "ingest": {"sample_rate": SAMPLE_RATE},
        "degradations": {"chain": [{"kind": "clipping", "threshold": 0.1}]},
        "restorers": [{"kind": "spectral_gate", "name": f"model-{n}", "takes": TAKES} for n in range(MODELS)],
        "metrics": [{"kind": "multi_resolution_stft", "name": name} for name in METRICS],
        "preference": {
            "criteria": list(METRICS),
            "pairs": {"keep": "best"},
            "uncovered": ["perceptual_quality", "content_consistency", "timbre_preservation"],
        },
    }
    path = folder / "made.yaml"
    path.write_text(yaml.safe_dump({**config, **changes}))
    return path


def _noise(number: int, seconds: float) -> EncodedAudio:
    samples = 0.1 * rng_for(number, "made").standard_normal(int(seconds * SAMPLE_RATE))
    return encode_flac(Waveform(samples.astype(np.float32), SAMPLE_RATE))


def _write_shard(
    graph: Graph, store: TableStore, shard: str, names: Sequence[str], audio: Sequence[EncodedAudio]
) -> None:
    def put(table: Any, rows: Sequence[Row]) -> None:
        store.put(table.folder, shard, table.record, rows, {})

    degraded, clean, *restored = audio
    put(graph.ingest, [Ingested(id=n.rpartition(":")[0], corpus="speech", name=n, content="") for n in names])
    put(graph.plan, [_recipe(name, clean) for name in names])
    put(graph.degrade, [Degraded(id=name, degraded=degraded, clean=clean) for name in names])
    for number, table in enumerate(graph.restores):
        heard = restored[number * TAKES : (number + 1) * TAKES]
        takes = tuple(Take(take=take, audio=each) for take, each in enumerate(heard))
        put(table, [Restored(id=name, model=table.setup.name, takes=takes) for name in names])
    rng = rng_for(0, "made", shard)
    for table in graph.scores:
        values = rng.standard_normal((len(names), TAKES))
        put(table, [_scored(table, name, of) for name, of in zip(names, values, strict=True)])


def _recipe(name: str, audio: EncodedAudio) -> Recipe:
    described = {"id": name, "utterance_id": name, "source_id": name, "corpus": "speech", "repeat": 0}
    lengths = {"sample_rate": audio.sample_rate, "num_samples": audio.num_samples, "bandwidth_hz": 24_000}
    said = {"split": "train", "licence": "CC0-1.0", "steps": (), "sources": ()}
    return Recipe.model_validate({**described, **lengths, **said})


def _scored(table: Any, name: str, values: Any) -> Scored:
    takes = [
        TakeScores(take=take, scores=(Score(name=table.setup.name, value=float(value)),))
        for take, value in enumerate(values)
    ]
    return Scored(id=name, model=table.restore.setup.name, takes=tuple(takes))
