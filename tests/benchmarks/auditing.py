"""How long an audit takes: 100,000 candidates, 8 criteria, on one core, and what memory it needs.

    taskset -c 0 python -m tests.benchmarks.auditing [--inputs 6667] [--folder DIR]

Writes the workspace of ``deciding.py`` (three models of five takes, scores that correlate by 0.4), with a
table of what was done to the speech, and times ``python -m pipeline audit`` on it.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.config.resolve import resolve
from pipeline.store.table_store import TableStore
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.text import say
from schemas import AppliedStep, Degraded
from tests.benchmarks.deciding import METRICS, MODELS, TAKES, config_of, write_scores

KINDS = ("noise", "reverb", "clipping")


def main() -> None:
    """Build, audit, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=6_667)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="auditing-"))
    config = config_of(folder, given.inputs)
    graph = assemble(resolve(config), Workspace(folder / "workspace"))
    store = Workspace(folder / "workspace").store
    write_scores(graph, store)
    _write_damages(graph, store)
    say(f"{given.inputs * MODELS * TAKES:,} candidates × {METRICS} metrics in {len(graph.shards)} shards")
    started = time.perf_counter()
    words = ["audit", str(config), "--workspace", str(folder / "workspace")]
    subprocess.run([sys.executable, "-m", "pipeline", *words], cwd=Path(__file__).parents[2], check=True)
    wall_s = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    say(f"audit        {wall_s:.1f} s, of a core {cpu_s:.1f} s, at most {used.ru_maxrss / 1024:.0f} MB")
    if given.folder is None:
        shutil.rmtree(folder)


def _write_damages(graph: Graph, store: TableStore) -> None:
    for shard in graph.shards:
        rows = [
            Degraded(id=f"{source.id}:0", applied=(_step(KINDS[place % len(KINDS)], place),))
            for place, source in enumerate(shard.sources)
        ]
        store.put(graph.degrade.folder, shard.name, Degraded, rows, {})


def _step(kind: str, place: int) -> AppliedStep:
    return AppliedStep(kind=kind, facts={"snr_db": float(place % 30 - 5)} if kind == "noise" else {})


if __name__ == "__main__":
    main()
