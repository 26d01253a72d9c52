"""Started with a Python that lacks the packages, the program says what to do."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_python_without_the_packages_is_told_the_way() -> None:
    """A sentence and the exit code of a mistake, instead of a traceback; -S leaves the packages out."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "pipeline", "run", "demo"],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {sys.executable} has no ")
    assert "'. .venv/bin/activate'" in done.stderr
    assert "Traceback" not in done.stderr
