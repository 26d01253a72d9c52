"""How fast a dataset is written, and in how much memory: 1 shard and 10, against plain pyarrow.

    PYTHONPATH=. python tests/benchmarks/export.py [--shards 10] [--utterances 30] [--seconds 2] [--rounds 5]

Writes runs whose audio is white noise (48 kHz, two models of three takes), exports each in a process of its
own, and then writes the very same files again with pyarrow alone, from tables that are all in memory: once
with the settings of the dataset, which gives files of the same size, and once without page index and chunks.
Export reads its tables, builds rows, hashes its files and waits for the disk; the others do not.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.store.parquet_draft import settings_for
from pipeline.text import say
from tests.support.made_run import write_run

ROOT = Path(__file__).parents[2]
EXPORT = """
import json, sys, time
from pathlib import Path
from pipeline.audit.audit import load_or_run_audit
from pipeline.operations.export import write_dataset
from pipeline.tables.graph import assemble
from pipeline.execution.peak_memory import forget_peaks, peak_bytes
from pipeline.config.resolve import resolve
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.workspace import Workspace
folder = Path(sys.argv[1])
run = resolve(folder / "made.yaml")
workspace = Workspace(folder / "workspace")
graph = assemble(run, workspace, keep=False)
forget_peaks()
before = peak_bytes()
started, worked = time.perf_counter(), time.process_time()
audit = load_or_run_audit(run, graph, workspace, keep=False)
written = write_dataset(run, graph, workspace.store, DatasetFiles(folder / "dataset"), audit)
seconds, cpu = time.perf_counter() - started, time.process_time() - worked
size = sum(files.num_bytes for splits in written.tables.values() for files in splits.values())
print(json.dumps([size, seconds, cpu, before, peak_bytes()]))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to write so many bytes."""

    num_bytes: int
    wall_s: float
    cpu_s: float
    before_mb: float = 0.0
    most_mb: float = 0.0
    """Memory of the process before and at most; 0 if it was not looked at."""

    @property
    def rate(self) -> float:
        """Megabytes per second."""
        return self.num_bytes / 1e6 / self.wall_s

    def __str__(self) -> str:
        """Return it in a line."""
        size = f"{self.num_bytes / 1e6:6.0f} MB"
        memory = (
            f"; memory {self.before_mb:.0f} MB before, {self.most_mb:.0f} MB at most" if self.most_mb else ""
        )
        return f"{size} in {self.wall_s:5.2f} s, {self.rate:5.0f} MB/s, CPU {self.cpu_s:5.2f} s{memory}"


def main() -> None:
    """Write runs, export them, and write the same tables plainly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shards", type=int, default=10)
    parser.add_argument("--utterances", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5, help="of which the medians are printed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="export-") as name:
        costs = []
        for shards in (1, given.shards):
            made = Path(name) / f"{shards}-shards"
            write_run(made, shards=shards, utterances=given.utterances, seconds=given.seconds)
            rounds = [_round(made, Path(name) / "plain.parquet") for _ in range(max(1, given.rounds))]
            exported, same, bare = (_median(each) for each in zip(*rounds, strict=True))
            costs.append(exported)
            say(f"{f'{shards} shards':<12} {exported}")
    more_bytes, more_s = (getattr(costs[1], n) - getattr(costs[0], n) for n in ("num_bytes", "wall_s"))
    say(f"{'each more':<12} {more_bytes / 1e6 / more_s:.0f} MB/s, once imports and card are paid for")
    say(f"{'same bytes':<12} {same}; export is {exported.rate / same.rate:.2f} times as fast")
    say(f"{'bare':<12} {bare}; export is {exported.rate / bare.rate:.2f} times as fast")


def _round(made: Path, plain: Path) -> tuple[Cost, Cost, Cost]:
    """Return what an export costs, and plain writing of its tables with and without page index and chunks.

    The disk is idle before each, and none writes to a file that is there.
    """
    shutil.rmtree(made / "dataset", ignore_errors=True)
    exported = _exported(made)
    files = sorted((made / "dataset").glob("*/*.parquet"))
    same, bare = (_plain(files, plain, same=same) for same in (True, False))
    return exported, same, bare


def _median(costs: Sequence[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.wall_s)[len(costs) // 2]


def _exported(folder: Path) -> Cost:
    """Return what an export took."""
    os.sync()  # else the disk is still busy with what was written before
    command = [sys.executable, "-c", EXPORT, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    num_bytes, wall_s, cpu_s, before, most = json.loads(done.stdout.splitlines()[-1])
    return Cost(num_bytes, wall_s, cpu_s, before / 1e6, most / 1e6)


def _plain(files: Sequence[Path], out: Path, *, same: bool) -> Cost:
    """Write what is in ``files`` once more, row group by row group."""
    num_bytes, wall_s, cpu_s = 0, 0.0, 0.0
    for path in files:
        with pq.ParquetFile(path) as file:
            groups = [file.read_row_group(n).combine_chunks() for n in range(file.num_row_groups)]
            schema = file.schema_arrow
        out.unlink(missing_ok=True)
        os.sync()
        settings = settings_for(schema) if same else {"compression": "none", "use_dictionary": False}
        started, worked = time.perf_counter(), time.process_time()
        with pq.ParquetWriter(out, schema, **settings) as writer:
            for group in groups:
                writer.write_table(group, row_group_size=group.num_rows)
        wall_s += time.perf_counter() - started
        cpu_s += time.process_time() - worked
        num_bytes += out.stat().st_size
        assert not same or out.stat().st_size == path.stat().st_size, path
    return Cost(num_bytes, wall_s, cpu_s)


if __name__ == "__main__":
    main()
