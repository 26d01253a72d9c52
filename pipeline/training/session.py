"""A training from its first step to its last: checkpoints, validation, and a line now and then."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from pipeline.store.files import explain_full_disk
from pipeline.text import format_clock, say
from pipeline.training.checkpoint import KEPT_CHECKPOINT, Curve, SavedTraining
from pipeline.training.lesson import Batch
from pipeline.training.trainer import Trainer
from pipeline.training.validation import Judges, format_scores
from schemas import Split
from stages.networks.generative.parts import save_part

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

    def __init__(self, trainer: Trainer, folder: Path, made_with: Mapping[str, Any]) -> None:
        """Go on from what is saved in ``folder``, if there is anything.

        Raises ``UserError`` if that is of another training.
        """
        self._trainer, self._folder = trainer, folder
        self._checkpoint = SavedTraining(folder, trainer.lesson.kind, made_with)
        self._curve: Curve = []
        self._hours_done = 0.0
        self._errors: list[float] = []
        if (found := self._checkpoint.read()) is not None:
            trainer.restore_state(found["trainer"])
            self._curve, self._hours_done = found["curve"], found["hours"]
            say(f"goes on after step {trainer.steps_done:,} and {self._hours_done:.2f} hours")

    def run(self, pace: Pace) -> None:
        """Train until ``pace`` says that it is enough; weights and curve are there from the first save on."""
        watched = self._trainer.batch(Split.VALIDATION, VALIDATION_NUMBER, VALIDATION_BATCH)
        judges = Judges(watched, pace.judged)
        say(f"untouched: {format_scores(judges.judge(watched.degraded))}")
        saved = began = time.monotonic()
        while not pace.is_over(self._trainer.steps_done, self._hours_done + _hours_since(began)):
            self._errors.append(self._trainer.step())
            if time.monotonic() - saved >= pace.every_s:
                self._hours_done += _hours_since(began)
                self._report(judges, watched, pace, (time.monotonic() - saved) / len(self._errors))
                saved = began = time.monotonic()
        self._hours_done += _hours_since(began)
        if self._errors:
            self._report(judges, watched, pace, 0.0)
        else:
            self._save()  # weights may be gone, or were never written by whoever was killed then
        say(f"done: weights are in {self._folder / 'weights'}")

    def _report(self, judges: Judges, watched: Batch, pace: Pace, step_s: float) -> None:
        trainer = self._trainer
        scores = judges.judge(trainer.restore_by_average(watched.degraded[: pace.judged]))
        row = {
            "step": float(trainer.steps_done),
            "hours": self._hours_done,
            "error": fmean(self._errors),
            "validation_error": trainer.error_of_average(watched),
            **scores,
        }
        self._curve.append(row)
        self._errors = []
        self._save()
        left = format_clock(pace.left_s(trainer.steps_done, self._hours_done, step_s))
        say(
            f"step {trainer.steps_done:,} after {self._hours_done:.2f} h: error {row['error']:.4f}, "
            f"validation {row['validation_error']:.4f}; {format_scores(scores)}; {left} left"
        )

    def _save(self) -> None:
        """Write checkpoint, curve and weights."""
        trainer = self._trainer
        with explain_full_disk(self._folder, KEPT_CHECKPOINT):
            self._checkpoint.save(trainer.state, self._curve, self._hours_done)
            lesson = trainer.lesson
            save_part(trainer.average, lesson.kind, self._folder / "weights", lesson.builds_on)


def _hours_since(moment: float) -> float:
    return (time.monotonic() - moment) / 3600
