"""What tests of stages share: a second of speech, and workers in an environment of their own."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.audio.waveform import Waveform
from stages.restorers.external import External
from tests.support.external_workers import BODY, Write
from tests.support.numpy_environment import numpy_environment
from tests.support.speech_like import speech_like


@pytest.fixture
def clean_speech() -> Waveform:
    """Return a second of speech."""
    return speech_like(1.0)


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that has numpy and nothing else."""
    return numpy_environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture
def external(tmp_path: Path, interpreter: Path) -> Iterator[Write]:
    """Return a function that writes a worker and loads the model in it."""
    models = []

    def write(
        restore: str, load: str = "pass", rate: int | None = None, *, sampling: bool = False, **fields: Any
    ) -> External:
        script = tmp_path / "worker.py"
        indented = textwrap.indent(textwrap.dedent(restore), " " * 8).strip()
        script.write_text(BODY.format(rate=rate, sampling=sampling, load=load, restore=indented))
        settings = {"interpreter_path": interpreter, "script_path": script, "model_sample_rate": rate}
        model = External.model_validate({**settings, "model_sampling": sampling, **fields}).with_digests()
        models.append(model)
        model.load("cpu")
        return model

    yield write
    for model in models:
        model.close()
