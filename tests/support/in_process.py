"""Runs and commands in this process, which saves the seconds that an interpreter needs to start."""

from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config.resolve import resolve
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import RunResult, execute
from pipeline.store.workspace import Workspace


def run_here(config: Path, workspace: Path) -> RunResult:
    """Run a config."""
    opened = Workspace(workspace)
    return execute(resolve(config), opened, lambda *_: LocalExecutor(Worker(opened)))


def typed_here(*words: str | Path) -> str:
    """Type a command and return what it prints; its errors are raised."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout
