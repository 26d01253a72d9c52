"""What it costs to look: importing operators loads no library that only a model needs."""

import subprocess
import sys
from pathlib import Path

import pytest

MODEL_LIBRARIES = frozenset(
    {"audiomentations", "av", "librosa", "numba", "onnxruntime", "pyroomacoustics", "torch", "transformers"}
)
ENGINE = frozenset({"datasets", "ray"})
ROOT = Path(__file__).parents[2]


def loaded_by(module: str) -> frozenset[str]:
    """Return the names of all modules that importing ``module`` loads, in a process of its own."""
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return frozenset(shown.stdout.split())


@pytest.mark.parametrize("module", ["stages", "stages.degradations", "stages.restorers", "stages.metrics"])
def test_a_family_loads_nothing_heavy(module: str) -> None:
    """Operators are found and listed before any of their libraries is."""
    assert not loaded_by(module) & (MODEL_LIBRARIES | ENGINE)


def test_the_command_line_loads_no_model_library() -> None:
    """``--help`` waits for neither torch nor Ray, and no run for what few of its steps need."""
    loaded = loaded_by("pipeline.cli.commands.run")

    assert not loaded & (MODEL_LIBRARIES | ENGINE | {"scipy.signal", "scipy.stats"})


@pytest.mark.parametrize("module", ["stages.metrics", "pipeline.cli", "pipeline.execution.ray.cluster"])
def test_an_import_has_no_effect_on_the_process(module: str) -> None:
    """How modules are found and what the environment says stay as they are."""
    before = f"import os, sys, {'ray' if 'ray' in module else 'schemas'}; "
    before += "state = lambda: (list(sys.meta_path), dict(os.environ)); before = state(); "
    code = before + f"import {module}; print(before == state())"

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    assert shown.stdout.strip() == "True"
