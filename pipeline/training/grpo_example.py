"""GRPO with a panel as reward, from beginning to end: some steps of ``fm`` on inputs of a dataset.

An example to copy. What a real training changes is the number of inputs, of takes and of steps; the rewards,
and what becomes of takes that a metric could not score, stay as they are.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.dataset.published import Dataset, open_dataset
from pipeline.panel.panel import Panel
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.files import expand_home
from pipeline.text import say
from pipeline.training.group_policy import GroupInput, GroupPolicyTrainer, GroupTraining
from pipeline.training.lessons import FlowLesson
from pipeline.training.preference_session import open_lesson
from schemas import UserError
from stages.audio.flac import decode_flac_bytes
from stages.audio.resampling import resample
from stages.audio.waveform import Samples
from stages.networks.generative.spectra import GENERATIVE_SAMPLE_RATE

_COLUMNS = ("degraded_id", "degraded", "clean", "transcript", "language")


@dataclass(frozen=True, slots=True)
class GrpoExample:
    """How long the example is."""

    steps: int
    inputs: int
    """Of each step."""
    watched: int
    """Inputs that are not learnt from, and heard before and after."""


def train_grpo_example(
    dataset: str | Path, panel: Panel, weights: Path, example: GrpoExample, how: GroupTraining
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Train ``fm`` for some steps, and return the mean of every vote on the watched inputs, before and after.

    Raises ``UserError`` for a dataset with too few inputs, ``MissingWeightsError`` without the model.
    """
    inputs = list(
        itertools.islice(_inputs_of(_open(dataset)), example.watched + example.steps * example.inputs)
    )
    watched, learnt = inputs[: example.watched], inputs[example.watched :]
    if not learnt:
        raise UserError(
            f"{dataset} has {len(inputs)} inputs with pairs, and {example.watched} are watched: none is left"
        )
    lesson = open_lesson("fm", weights, "cpu")
    assert isinstance(lesson, FlowLesson)
    trainer = GroupPolicyTrainer(lesson, panel, how)
    before = _watch(trainer, watched)
    say(f"before:   {_means_of(before)}")
    turns = itertools.cycle(learnt)
    for _ in range(example.steps):
        say(str(trainer.step(list(itertools.islice(turns, min(example.inputs, len(learnt)))))))
    after = _watch(trainer, watched)
    say(f"after:    {_means_of(after)}")
    return before, after


def _watch(trainer: GroupPolicyTrainer, watched: list[GroupInput]) -> Mapping[str, float]:
    """Return the mean votes of takes from noises that are always the same."""
    return trainer.means(trainer.judge(watched, [trainer.draw(each, "watched", 0) for each in watched]))


def _means_of(votes: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in votes.items())


def _open(dataset: str | Path) -> Dataset:
    return open_dataset(DatasetFiles(expand_home(str(dataset))))


def _inputs_of(dataset: Dataset) -> Iterator[GroupInput]:
    """Walk the inputs that have pairs, each once."""
    known: set[str] = set()
    for _, file in dataset.walk_parts("pairs"):
        for group in range(file.num_row_groups):
            for row in file.read_row_group(group, columns=list(_COLUMNS), use_threads=False).to_pylist():
                if row["degraded_id"] not in known:
                    known.add(row["degraded_id"])
                    yield _input_of(row)


def _input_of(row: Mapping[str, Any]) -> GroupInput:
    clean = None if row["clean"] is None else _decode(row["clean"])
    return GroupInput(row["degraded_id"], _decode(row["degraded"]), clean, row["transcript"], row["language"])


def _decode(cell: Mapping[str, Any]) -> Samples:
    return resample(decode_flac_bytes(cell["bytes"]), GENERATIVE_SAMPLE_RATE).samples
