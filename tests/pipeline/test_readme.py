"""What the README shows works as it stands there."""

import re
from pathlib import Path

import numpy as np
import yaml

from pipeline.config import Config
from pipeline.dataset.card import load_lines
from stages.degradations import DEGRADATIONS
from stages.memory_source import MemoryAudioSource
from stages.user_modules import OperatorModule, install
from stages.waveform import Waveform

README = Path(__file__).parents[2] / "README.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_the_operator_of_ones_own_degrades(clean: Waveform) -> None:
    """The file that the README shows registers an operator that does what it says."""
    (source,) = [block for block in _blocks("python") if "DEGRADATIONS" in block]

    install([OperatorModule(name="unanimous_user_readme", path="my_operators.py", source=source)])
    dropout = DEGRADATIONS["dropout"].model_validate({"start_fraction": 0.5, "length_ms": 100})
    damaged = dropout.apply(clean, MemoryAudioSource())

    assert not damaged.samples[8_000:9_600].any()
    np.testing.assert_array_equal(damaged.samples[9_600:], clean.samples[9_600:])


def test_the_config_is_one() -> None:
    """The config that the README shows has the shape of a config."""
    (text,) = _blocks("yaml")

    config = Config.model_validate(yaml.safe_load(text))

    assert config.restorers[1].takes == 5


def test_the_lines_that_load_are_those_that_a_run_prints() -> None:
    """The README and the end of a run say the same."""
    assert load_lines("runs/demo/dataset", "train") in _blocks("python")
