"""A training from its first step to its last: checkpoints, validation, and a line now and then."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from pipeline.text import format_clock, say
from pipeline.training.lesson import Batch
from pipeline.training.trainer import Trainer
from pipeline.training.validation import Judges, format_scores
from schemas import MissingWeightsError, Split, UserError
from stages.networks.generative.parts import save_part
from stages.networks.loading import read_checkpoint

VALIDATION_BATCH = 16
VALIDATION_NUMBER = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """When a training ends, and how often it saves and judges what it has."""

    steps: int | None
    hours: float | None
    every_s: float
    judged: int
    """Mixtures that are listened to whenever something is saved."""

    def is_over(self, steps_done: int, hours_done: float) -> bool:
        """Whether one of the two ends is reached."""
        return (self.steps is not None and steps_done >= self.steps) or (
            self.hours is not None and hours_done >= self.hours
        )

    def left_s(self, steps_done: int, hours_done: float, step_s: float) -> float:
        """Return how long it will take until the first end."""
        ends = []
        if self.steps is not None:
            ends.append((self.steps - steps_done) * step_s)
        if self.hours is not None:
            ends.append((self.hours - hours_done) * 3600)
        return max(0.0, min(ends))


class Session:
    """One network's training in a folder, which holds its checkpoint, its curve and its weights."""

    def __init__(
        self, trainer: Trainer, folder: Path, settings: Mapping[str, Any], made_with: Mapping[str, Any]
    ) -> None:
        self._trainer, self._folder, self._settings = trainer, folder, settings
        self._made_with = dict(made_with)
        self._part = trainer.lesson.kind
        self._curve: list[dict[str, float]] = []
        self._hours_done = 0.0
        self._losses: list[float] = []

    @property
    def checkpoint(self) -> Path:
        """Where the whole state lies."""
        return self._folder / f"{self._part}.checkpoint.pt"

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one.

        Raises ``UserError`` if it is of another training, or damaged.
        """
        if not self.checkpoint.exists():
            return
        try:
            found = read_checkpoint(self.checkpoint)
        except MissingWeightsError as error:
            raise UserError(f"{error}; remove it to begin again") from error
        if not isinstance(found, Mapping) or not {"trainer", "curve", "hours", "made_with"} <= found.keys():
            raise UserError(f"{self.checkpoint} is a checkpoint of something else; give another --out")
        for what, value in self._made_with.items():
            if found["made_with"].get(what) != value:
                raise UserError(
                    f"{self.checkpoint} was made with another {what}: {found['made_with'].get(what)}, "
                    f"not {value}; give that, or another --out"
                )
        self._trainer.restore_state(found["trainer"])
        self._curve, self._hours_done = found["curve"], found["hours"]
        say(f"goes on after step {self._trainer.steps_done:,} and {self._hours_done:.2f} hours")

    def run(self, pace: Pace) -> None:
        """Train until ``pace`` says that it is enough; weights and curve are there from the first save on."""
        watched = self._trainer.batch(Split.VALIDATION, VALIDATION_NUMBER, VALIDATION_BATCH)
        judges = Judges(watched, pace.judged)
        say(f"untouched: {format_scores(judges.judge(watched.degraded))}")
        saved = began = time.monotonic()
        while not pace.is_over(self._trainer.steps_done, self._hours_done + _hours_since(began)):
            self._losses.append(self._trainer.step())
            if time.monotonic() - saved >= pace.every_s:
                self._hours_done += _hours_since(began)
                self._report(judges, watched, pace, (time.monotonic() - saved) / len(self._losses))
                saved = began = time.monotonic()
        self._hours_done += _hours_since(began)
        if self._losses:
            self._report(judges, watched, pace, 0.0)
        say(f"done: weights are in {self._folder / 'weights'}")

    def _report(self, judges: Judges, watched: Batch, pace: Pace, step_s: float) -> None:
        trainer = self._trainer
        scores = judges.judge(trainer.restore_by_average(watched.degraded))
        row = {
            "step": float(trainer.steps_done),
            "hours": self._hours_done,
            "error": fmean(self._losses),
            "validation_error": trainer.error_of_average(watched),
            **scores,
        }
        self._curve.append(row)
        self._losses = []
        self._save()
        left = format_clock(pace.left_s(trainer.steps_done, self._hours_done, step_s))
        say(
            f"step {trainer.steps_done:,} after {self._hours_done:.2f} h: error {row['error']:.4f}, "
            f"validation {row['validation_error']:.4f}; {format_scores(scores)}; {left} left"
        )

    def _save(self) -> None:
        """Write checkpoint, weights and curve; whoever is killed here finds the last checkpoint whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self.checkpoint.with_suffix(".draft")
        state = {
            "trainer": self._trainer.state,
            "curve": self._curve,
            "hours": self._hours_done,
            "made_with": self._made_with,
        }
        torch.save(state, draft)
        os.replace(draft, self.checkpoint)  # noqa: PTH105 - says that it overwrites
        save_part(self._trainer.average, self._part, self._settings, self._folder / "weights")
        lines = ",\n".join(json.dumps(row) for row in self._curve)
        (self._folder / f"{self._part}.losses.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def _hours_since(moment: float) -> float:
    return (time.monotonic() - moment) / 3600
