"""How long it takes to decide anew: 100,000 candidates, 8 metrics, through the command line, on one core.

    taskset -c 0 python tests/benchmarks/deciding.py [--inputs 6667] [--folder DIR]

Writes a workspace whose tables of scores are made up (three models of five takes, scores that correlate by
0.4), runs ``python -m pipeline decide`` on it, and then decides the same shards by the readable definition:
records read by pydantic, candidates judged two by two. Both must come to the same pairs.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from pipeline.config.resolve import resolve
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.text import say
from schemas import Preference, Recipe, Score, Scored, Split, TakeScores
from stages.operators.rng import rng_for
from stages.prefer.criteria import Candidate, judge

METRICS = 8
MODELS = 3
TAKES = 5
UTTERANCES_PER_SHARD = 30
"""As 300 s of ten-second sentences."""
READABLE_SHARDS = 10
"""Shards that the readable definition is timed on; its time for all is worked out from them."""


def main() -> None:
    """Build, decide, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=6_667)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="deciding-"))
    config = config_of(folder, given.inputs)
    graph = assemble(resolve(config), Workspace(folder / "workspace"))
    store = Workspace(folder / "workspace").store
    write_scores(graph, store)
    _tell(graph, store, _time_command(config, folder / "workspace"))
    if given.folder is None:
        shutil.rmtree(folder)


def config_of(folder: Path, inputs: int) -> Path:
    """Write speech of next to no length, and a config whose eight votes are one metric under eight names."""
    (folder / "speech").mkdir(parents=True, exist_ok=True)
    for number in range(inputs):
        soundfile.write(folder / "speech" / f"{number:06d}.wav", np.full(800, number / inputs), 8_000)
    names = [f"metric-{number}" for number in range(METRICS)]
    config: dict[str, Any] = {
        "name": "deciding",
        "shard_seconds": UTTERANCES_PER_SHARD * 0.1,
        "speech": [{"name": "speech", "path": str(folder / "speech")}],
        "ingest": {"sample_rate": 16000},
        "degradations": {"chain": [{"kind": "clipping", "threshold": 0.1}]},
        "restorers": [{"kind": "spectral_gate", "name": f"model-{n}", "takes": TAKES} for n in range(MODELS)],
        "metrics": [{"kind": "estoi", "name": name} for name in names],
        "preference": {
            "criteria": names,
            "uncovered": ["perceptual_quality", "signal_fidelity", "timbre_preservation"],
        },
    }
    path = folder / "deciding.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def write_scores(graph: Graph, store: TableStore) -> None:
    """Write the plan and made-up scores of every shard."""
    for shard in graph.shards:
        rows = [f"{source.id}:0" for source in shard.sources]
        store.put(graph.plan.folder, shard.name, Recipe, [_recipe(row) for row in rows], {})
        rng = rng_for(0, "deciding", shard.name)
        shape = METRICS, MODELS, len(rows), TAKES
        values = 0.4**0.5 * rng.standard_normal(shape[1:]) + 0.6**0.5 * rng.standard_normal(shape)
        for place, table in enumerate(graph.scores):
            model, metric = divmod(place, METRICS)
            found = [_scored(table, row, of) for row, of in zip(rows, values[metric, model], strict=True)]
            store.put(table.folder, shard.name, Scored, found, {})


def _recipe(row: str) -> Recipe:
    return Recipe(
        id=row,
        utterance_id=row.rpartition(":")[0],
        source_id=row.rpartition(":")[0],
        corpus="speech",
        repeat=0,
        split=Split.TRAIN,
        sample_rate=16_000,
        num_samples=160_000,
        bandwidth_hz=8_000,
        steps=(),
        sources=(),
    )


def _scored(table: Any, row: str, values: Any) -> Scored:
    takes = [
        TakeScores(take=take, scores=(Score(name=table.setup.name, value=float(value)),))
        for take, value in enumerate(values)
    ]
    return Scored(id=row, model=table.restore.setup.name, takes=tuple(takes))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took."""

    wall_s: float
    cpu_s: float
    most_mb: float


def _time_command(config: Path, workspace: Path) -> Cost:
    """Run the command, which prints what it says, and return what it took."""
    words = ["decide", str(config), "--workspace", str(workspace)]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pipeline", *words], cwd=Path(__file__).parents[2], check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall_s = time.perf_counter() - started
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _tell(graph: Graph, store: TableStore, took: Cost) -> None:
    candidates = sum(len(shard.sources) for shard in graph.shards) * MODELS * TAKES
    say(f"{candidates:,} candidates × {METRICS} metrics in {len(graph.shards)} shards")
    say(f"decide       {took.wall_s:.1f} s, of a core {took.cpu_s:.1f} s, at most {took.most_mb:.0f} MB")
    shards = graph.shards[:READABLE_SHARDS]
    started = time.perf_counter()
    expected = [_readable(graph, store, shard.name) for shard in shards]
    seconds = time.perf_counter() - started
    say(f"two by two   {seconds / len(shards) * len(graph.shards):.1f} s, from {len(shards)} shards")
    for shard, pairs in zip(shards, expected, strict=True):
        found = store.read(graph.prefer.folder, shard.name, Preference)
        assert [list(row.pairs) for row in found] == pairs, shard.name
    say(f"the same pairs in {len(shards)} shards: {sum(len(p) for rows in expected for p in rows)}")


def _readable(graph: Graph, store: TableStore, shard: str) -> list[list[Any]]:
    """Return the pairs of each row, by the definition."""
    gathered: dict[str, dict[tuple[str, int], dict[str, float]]] = {}
    for table in graph.scores:
        for row in store.read(table.folder, shard, Scored):
            for take in row.takes:
                scores = gathered.setdefault(row.id, {}).setdefault((row.model, take.take), {})
                scores.update({score.name: score.value for score in take.scores if score.value is not None})
    return [_judged(candidates, graph.prefer.rules.criteria) for candidates in gathered.values()]


def _judged(candidates: dict[tuple[str, int], dict[str, float]], criteria: Any) -> list[Any]:
    listed = [Candidate(model, take, scores) for (model, take), scores in candidates.items()]
    pairs = [judge(a, b, criteria)[1] for a, b in combinations(listed, 2)]
    return sorted((pair for pair in pairs if pair is not None), key=lambda pair: -pair.strength)


if __name__ == "__main__":
    main()
