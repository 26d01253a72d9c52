"""What it costs to look: importing operators loads no library that only a model needs."""

import subprocess
import sys
from pathlib import Path

import pytest

MODEL_LIBRARIES = frozenset(
    {"audiomentations", "av", "librosa", "numba", "onnxruntime", "pyroomacoustics", "torch", "transformers"}
)
ENGINE = frozenset({"datasets", "ray"})


def loaded_by(module: str) -> frozenset[str]:
    """Return the names of all modules that importing ``module`` loads, in a process of its own."""
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    return frozenset(shown.stdout.split())


@pytest.mark.parametrize("module", ["stages", "stages.degradations", "stages.restorers", "stages.metrics"])
def test_a_family_loads_nothing_heavy(module: str) -> None:
    """Operators are found and listed before any of their libraries is."""
    assert not loaded_by(module) & (MODEL_LIBRARIES | ENGINE)


def test_the_command_line_loads_no_model_library() -> None:
    """``--help`` waits for neither torch nor Ray."""
    assert not loaded_by("pipeline.cli") & (MODEL_LIBRARIES | ENGINE)
