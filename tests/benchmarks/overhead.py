"""What the machinery costs: wall time of Ray over the time that the work itself takes.

    python tests/benchmarks/overhead.py [--repeats 5] [--workers 2]

Runs the demo's plan in small shards, each utterance degraded ``--repeats`` times, twice in one go: first
in one process, adding up the time inside degrade, restore and score (with decoding, resampling and
encoding); then on Ray. Prints

    ratio = (wall of the whole Ray run − start-up) / (time inside, local / workers)

and the peak of proportional memory (PSS) of all processes together, for both. Close other programs first.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import psutil

from pipeline.config.resolve import resolve
from pipeline.execution.board import Board
from pipeline.execution.executor import Executor, OnDone
from pipeline.execution.local import LocalExecutor
from pipeline.execution.ray import RayExecutor
from pipeline.execution.worker import TicketResult, Worker
from pipeline.operations.run import execute
from pipeline.store.workspace import Workspace
from pipeline.tables.tickets import Ticket

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
MEGABYTE = 2**20


class Measured:
    """An executor that notes what it is told on the way."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.began = time.monotonic()
        self.first_ticket: float | None = None
        self.inside_s = self.load_s = self.tickets_s = 0.0

    def run(self, board: Board, on_done: OnDone) -> None:
        """Run, noting when the first ticket began and what all of them took."""

        def noted(ticket: Ticket, report: TicketResult) -> None:
            if self.first_ticket is None:
                self.first_ticket = time.monotonic() - report.wall_s
            self.inside_s += report.inside_s
            self.load_s += report.load_s
            self.tickets_s += report.wall_s
            on_done(ticket, report)

        self._executor.run(board, noted)

    @property
    def startup_s(self) -> float:
        """From the executor's making to the beginning of the first ticket."""
        return (self.first_ticket or self.began) - self.began


class PeakMemory(threading.Thread):
    """Watches this process and its descendants; shared pages are counted once, by their proportion."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self._stop_it = threading.Event()

    def run(self) -> None:
        """Look every two seconds."""
        while not self._stop_it.wait(2.0):
            total = 0
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.peak_mb = max(self.peak_mb, total / MEGABYTE)

    def stop(self) -> float:
        """Return the peak in MiB."""
        self._stop_it.set()
        return self.peak_mb


def measure(kind: str, repeats: int, workers: int, folder: Path) -> dict[str, float]:
    """Run once and return what it took."""
    run = resolve(DEMO, [f"degradations.repeats={repeats}", "shard_seconds=8"])
    workspace = Workspace(folder / kind)
    made: list[Measured] = []

    def make(run_, workspace_, graph, shown):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        executor = (
            LocalExecutor(Worker(workspace_))
            if kind == "local"
            else RayExecutor(run_, graph, workspace_, workers, shown.say)
        )
        made.append(Measured(executor))
        return made[0]

    memory = PeakMemory()
    memory.start()
    result = execute(run, workspace, make)
    (measured,) = made
    return {
        "wall_s": result.wall_s,
        "startup_s": measured.startup_s,
        "inside_s": measured.inside_s,
        "loading_s": measured.load_s,
        "in_tickets_s": measured.tickets_s,
        "tickets": result.computed,
        "pairs": result.exported.funnel.count("pairs"),
        "peak_pss_mb": memory.stop(),
    }


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        local = measure("local", options.repeats, options.workers, Path(folder))
        spread = measure("ray", options.repeats, options.workers, Path(folder))
    ratio = (spread["wall_s"] - spread["startup_s"]) / (local["inside_s"] / options.workers)
    report = {"local": local, "ray": spread, "workers": options.workers, "ratio": ratio}
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
