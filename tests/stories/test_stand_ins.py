"""A run without weights: what stands in is said wherever its pairs are, and stays to the end of the run."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.weights.files import CACHE_VARIABLE
from tests.support import tiny
from tests.support.in_process import typed_here
from tests.support.wheel_index import FILES, WheelIndex, serving, weights_in, wheel_bytes, wheel_of

CONTENT = wheel_bytes(FILES)
WHEEL = wheel_of(CONTENT)
OWN = f'''
from typing import ClassVar

import numpy as np

from stages.operators.metric import METRICS, Aspect, Better, Output
from stages.operators.metric_bases import FullReferenceMetric
from stages.weights import HasWeights, Weights

PUBLISHED = Weights.model_validate_json({weights_in(WHEEL).model_dump_json()!r})


@METRICS.register
class FromAWheel(HasWeights, FullReferenceMetric):
    """How much louder the file is than the candidate differs from the clean one: a number like any other."""

    kind: ClassVar[str] = "from_a_wheel"
    weights: ClassVar[str] = "the wheel of tiny-mos 1.2.0"
    outputs: ClassVar = {{"": Output(aspect=Aspect.SIGNAL_FIDELITY, better=Better.LOWER)}}

    @property
    def published(self):
        return PUBLISHED

    def load(self, device):
        assert (self.require_place() / "model.pt").read_bytes().startswith(b"a state dict")

    def measure(self, comparison):
        return {{"": float(np.abs(comparison.candidate.samples - comparison.clean.samples).mean())}}
'''
SAID = "from_a_wheel: weights are not here, and multi_resolution_stft stands in for from_a_wheel; "
SAID += "'python -m pipeline weights fetch tiny_mos' gets them"
NOTED = (
    "its weights were not here when the run began; multi_resolution_stft stands in, multi_resolution_stft "
)
NOTED += "voting in place of from_a_wheel"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WheelIndex]:
    """Serve an index that has the wheel; pip is set up for none that can be reached."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    with serving(WheelIndex(tmp_path / "index")) as index:
        index.add(WHEEL, CONTENT)
        yield index


def write_config(folder: Path) -> Path:
    """Write a config whose one vote needs weights that are in a wheel."""
    tiny.write_speech(folder / "speech", ["a", "b"], 0.8)
    (folder / "own.py").write_text(OWN)
    config = tiny.cheap_config(
        folder / "speech",
        shard_seconds=300,
        operators=["own.py"],
        metrics=[{"kind": "from_a_wheel", "without_weights": {"kind": "multi_resolution_stft"}}],
        preference={
            "criteria": ["from_a_wheel"],
            "uncovered": ["perceptual_quality", "content_consistency", "timbre_preservation"],
        },
    )
    return tiny.write_config(folder, config)


def test_without_an_index_a_run_says_what_stands_in_and_keeps_it(
    tmp_path: Path, index: WheelIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its start and end, in card, description and report; weights that come later are for other runs."""
    config, first = write_config(tmp_path), tmp_path / "first"
    local = ("--executor", "local", "--fetch")

    done = tiny.run(config, first, *local)

    assert "tiny_mos could not be fetched: the wheel of tiny-mos 1.2.0 cannot be fetched" in done.stdout
    assert SAID in done.stderr
    assert done.stdout.count(f"metric from_a_wheel: {NOTED}") == 2
    assert "## What stands in for missing weights" in (first / "dataset" / "README.md").read_text()
    said = json.loads((first / "dataset" / "unanimous.json").read_text())
    assert said["stand_ins"] == {"metric from_a_wheel": NOTED}
    assert [metric["name"] for metric in said["metrics"]] == ["multi_resolution_stft"]
    assert NOTED in (first / "report.html").read_text()
    before = tiny.files_of(first)

    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    typed_here("weights", "fetch", config, "--yes")
    index.requests.clear()
    kept = tiny.run(config, first, *local)

    assert index.requests == []
    assert "weights are here now, but the run in this workspace began without" in kept.stderr
    assert f"or remove {first / 'stand_ins.json'}" in kept.stderr
    assert "nothing was left to do" in kept.stdout
    assert tiny.files_of(first) == before
    assert "stand" not in planned_in(tmp_path / "second", config)
    (first / "stand_ins.json").unlink()
    assert "stand" not in planned_in(first, config)


def planned_in(workspace: Path, config: Path) -> str:
    """Return all that ``plan`` says."""
    planned = tiny.typed("plan", config, "--workspace", workspace)
    return planned.stdout + planned.stderr


def test_doctor_and_plan_say_what_would_stand_in(tmp_path: Path, index: WheelIndex) -> None:
    """With the command that gets the weights; a run could start, so nothing is lacking."""
    config = write_config(tmp_path)

    doctor = tiny.typed("doctor", config)
    plan = tiny.typed("plan", config, "--workspace", tmp_path / "workspace")

    assert doctor.returncode == 0, doctor.stdout
    assert "weights fetch tiny_mos' gets them from the wheel of tiny-mos 1.2.0" in doctor.stdout
    assert "a run that begins without them: multi_resolution_stft stands in for from_a_wheel" in doctor.stdout
    assert SAID in plan.stderr
    assert f"metric from_a_wheel: {NOTED}" in plan.stdout
    assert index.requests == []


def test_nothing_is_fetched_for_a_config_that_is_refused(tmp_path: Path, index: WheelIndex) -> None:
    """Its licences included."""
    config = write_config(tmp_path)

    refused = tiny.run(
        config,
        tmp_path / "w",
        "--executor",
        "local",
        "--fetch",
        "--set",
        "allow_licences=[Apache-2.0]",
        check=False,
    )

    assert refused.returncode == 2
    assert "from_a_wheel is under the licence MIT, which allow_licences does not list" in refused.stderr
    assert index.requests == []
    assert not (tmp_path / "cache").exists()
