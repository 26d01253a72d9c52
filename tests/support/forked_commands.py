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
LIBRARIES = ("noisereduce", "pandas", "duckdb", "plotly.graph_objects")
"""What nearly every run imports once it is at work, torch among it: two thirds of a tiny run's time.

Not what reads its settings from the environment when it is imported, as huggingface_hub does.
"""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, *LIBRARIES])


class Forked:
    """A command that goes on, writing to two files or to one, with the methods of ``subprocess.Popen``."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], streams: Sequence[Path]) -> None:
        self._words = list(words)
        self._process = FORKS.Process(target=_become, args=(self._words, dict(environment), streams))
        self._process.start()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended, if it has; a signal is a negative number."""
        return self.poll()

    def poll(self) -> int | None:
        """Return how it ended, if it has."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ends. Raises ``TimeoutExpired`` if it goes on."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutExpired(self._words, timeout or 0.0)
        return self._process.exitcode

    def terminate(self) -> None:
        """Tell it to stop."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def typed(
    *words: str | Path, environment: Mapping[str, str] | None = None, timeout_s: float = 300.0
) -> "CompletedProcess[str]":
    """Type ``python -m pipeline`` and ``words``: signals, exit codes and streams are those of a process.

    Its start-up is not: what has to come from an interpreter that is new starts one.
    """
    command = [str(word) for word in words]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdout", "stderr")]
        process = Forked(command, environment or os.environ, streams)
        try:
            exit_code = process.wait(timeout_s)
        except TimeoutExpired:
            process.kill()
            process.wait()
            raise
        said = [stream.read_text(encoding="utf-8") for stream in streams]
    return CompletedProcess(command, exit_code, *said)


def _become(words: Sequence[str], environment: Mapping[str, str], streams: Sequence[Path]) -> None:
    """Be the command until it ends."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = [str(ROOT / "pipeline" / "__main__.py"), *words]
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    try:
        run_command_line()
    finally:
        atexit._run_exitfuncs()  # noqa: SLF001 - a fork of multiprocessing's ends without them
