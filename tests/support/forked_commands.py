"""Commands in processes of their own that start at once: one that has imported everything forks for each."""

import atexit
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from pipeline.cli import run_command_line
from pipeline.cli.commands import doctor, export, plan, prune, replay, run, status, verify

ROOT = Path(__file__).parents[2]
PRELOADED = (doctor, export, plan, prune, replay, run, status, verify)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


def typed(
    *words: str | Path, environment: Mapping[str, str] | None = None, timeout_s: float = 300.0
) -> "CompletedProcess[str]":
    """Type ``python -m pipeline`` and ``words``: signals, exit codes and streams are those of a process.

    Its start-up is not: what has to come from an interpreter that is new starts one.
    """
    command = [str(word) for word in words]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdout", "stderr")]
        process = FORKS.Process(target=_become, args=(command, dict(environment or os.environ), streams))
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired(command, timeout_s)
        said = [stream.read_text(encoding="utf-8") for stream in streams]
    return CompletedProcess(command, process.exitcode, *said)


def _become(words: Sequence[str], environment: Mapping[str, str], streams: Sequence[Path]) -> None:
    """Be the command until it ends."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = [str(ROOT / "pipeline" / "__main__.py"), *words]
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT), number)
    try:
        run_command_line()
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - a fork of multiprocessing's ends without them
