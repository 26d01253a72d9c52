"""Runs that are watched while they go on, and killed."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support import tiny
from tests.support.forked_commands import Forked

PATIENCE_S = 120.0
Run = subprocess.Popen[bytes] | Forked


@contextmanager
def started(
    config: Path, workspace: Path | str, *options: str, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a run as a user would; whatever is left of it in the end is killed."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            tiny.command(config, workspace, *options),
            cwd=tiny.ROOT,
            env=tiny.environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            kill_all(process)


@contextmanager
def forked(config: Path, workspace: Path, log: Path) -> Iterator[Forked]:
    """Start a run in one process that has imported already what runs import; it is killed in the end.

    For stories that begin once it is at work: they need neither an interpreter that is new nor Ctrl-C, which
    a process forked in the background of a script does not hear.
    """
    words = ["run", str(config), "--workspace", str(workspace), "--executor", "local"]
    process = Forked(words, tiny.environment(), [log, log])
    try:
        yield process
    finally:
        kill_all(process)


def wait_until(happened: Callable[[], bool], process: Run) -> None:
    """Look every two milliseconds; a process that ends before is a failure."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, f"the run ended with {process.returncode} before that"
        assert time.monotonic() < deadline, "the run took too long to get there"
        time.sleep(0.002)


def num_commits(workspace: Path) -> int:
    """Count the shards that are in their tables."""
    return sum(1 for _ in workspace.glob("tables/*/*.parquet"))


def descendants(process: Run) -> list[psutil.Process]:
    """Return all processes that ``process`` has started, and those that they have."""
    try:
        return list(psutil.Process(process.pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def kill_all(process: Run) -> None:
    """Kill a run and everything that it has started, at once and without notice."""
    family = descendants(process)
    process.kill()
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
    psutil.wait_procs(family, timeout=10)
