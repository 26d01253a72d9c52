"""The command ``unanimous`` is ``python -m pipeline`` by a shorter name."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENTRY = EntryPoint("unanimous", PROJECT["scripts"]["unanimous"], "console_scripts")


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """Return the file of the command, as pip writes it."""
    script = tmp_path / "unanimous"
    script.write_text(f"import sys\nfrom {ENTRY.module} import {ENTRY.attr}\nsys.exit({ENTRY.attr}())\n")
    return script


def _output(*words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_command_has_the_version_of_the_module(command: Path) -> None:
    """Which is that of the project."""
    assert _output(command, "--version") == _output("-m", "pipeline", "--version")


def test_the_command_has_the_help_of_the_module(command: Path) -> None:
    """Word for word, but for the line that says how it was called."""
    usage, *shorter = _output(command, "--help").strip().splitlines()
    _, *longer = _output("-m", "pipeline", "--help").strip().splitlines()

    assert usage.split()[:2] == ["Usage:", "unanimous"]
    assert shorter == longer


def test_numpy_finds_one_thread() -> None:
    """Nothing that reads the number of threads is imported before the command sets it."""
    assert _output("-c", f"import sys, {ENTRY.module}; print('numpy' in sys.modules)") == "False\n"
