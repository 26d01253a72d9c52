"""``train grpo-example``: a step of ``fm`` on inputs of a dataset, with the panel of its config as reward."""

from pathlib import Path

import pytest

from tests.support.forked_commands import typed
from tests.support.neural_weights import write_generative


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return small networks of random weights."""
    return write_generative(tmp_path_factory.mktemp("weights"))


def test_a_step_is_drawn_judged_and_learnt(undisturbed: Path, weights: Path) -> None:
    """Every vote of the config is told before, in each step and after; what is watched has changed."""
    sizes = ("--steps", 1, "--inputs", 1, "--takes", 2, "--watched", 1, "--learning-rate", 0.01)
    given = (undisturbed / "workspace" / "dataset", undisturbed / "tiny.yaml", "--weights", weights)

    done = typed("train", "grpo-example", *given, *sizes)

    assert done.returncode == 0, done.stderr
    before, step, after = done.stdout.splitlines()
    for line, begins in ((before, "before:"), (step, "step   0:"), (after, "after:")):
        assert line.startswith(begins)
        assert all(f"{vote} " in line for vote in ("multi_resolution_stft", "estoi", "spectral_envelope"))
    assert step.endswith("from the reference")
    assert before.split(":")[1] != after.split(":")[1]


def test_says_what_is_lacking(undisturbed: Path, weights: Path, tmp_path: Path) -> None:
    """Too few inputs, no dataset, no model: one line each."""
    dataset, config = undisturbed / "workspace" / "dataset", undisturbed / "tiny.yaml"
    cases = {
        "inputs with pairs, and 9 are watched: none is left": (dataset, "--watched", 9),
        "is no dataset of this program": (tmp_path, "--weights", weights),
        "estimate.safetensors is no trained 'estimate'": (dataset, "--weights", tmp_path),
    }
    for message, (folder, *words) in cases.items():
        done = typed("train", "grpo-example", folder, config, *words)
        assert done.returncode != 0
        assert message in done.stderr
