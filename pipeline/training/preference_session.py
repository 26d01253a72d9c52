"""A training with preferences from its first step to its best: watched, saved, and stopped in time."""

import copy
import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.store.files import explain_full_disk
from pipeline.text import say
from pipeline.training.checkpoint import KEPT_CHECKPOINT, SavedTraining
from pipeline.training.lessons import LESSONS, GainLesson
from pipeline.training.preference import PairSource, Preferences, PreferenceTrainer, Watched
from stages.networks.generative.parts import load_parts, save_part

CERTAIN = 0.95
"""An accuracy on watched pairs from which on there is little left to learn but their mistakes."""


@dataclass(frozen=True, slots=True)
class PreferenceEnd:
    """When a training with preferences is over."""

    steps: int
    every: int
    """Steps between two looks at the watched pairs."""
    patience: int
    """Looks in a row without a better one."""


class PreferenceSession:
    """DPO of one model in a folder, which holds its checkpoint, its curve and its weights."""

    def __init__(
        self,
        lesson: GainLesson,
        dataset: str | Path,
        out: Path,
        how: Preferences,
        origin: Mapping[str, str],
    ) -> None:
        """Open the dataset, and go on from what is saved in ``out``.

        ``origin`` has the digests of the model that the training begins with, and of what it builds on.

        Raises ``UserError`` for a dataset without pairs of the model, or a checkpoint of another training.
        """
        self._out, model = out, lesson.kind
        self._trainer = PreferenceTrainer(lesson, how)
        self._pairs = PairSource(dataset, model, how)
        self._watched = self._pairs.watched()
        self._curve: list[Watched] = []
        self._best = self._trainer.weights()
        self._keep = how.keep
        made_with = {**asdict(how), "pairs": self._pairs.digest, **origin}
        self._saved = SavedTraining(out, f"{model}.dpo", made_with)
        if (found := self._saved.read()) is not None:
            self._trainer.restore_state(found["trainer"])
            self._best = found["trainer"]["best"]
            self._curve = [Watched.from_row(row) for row in found["curve"]]
            say(f"goes on after step {self._trainer.steps_done:,}")

    def run(self, end: PreferenceEnd) -> Watched:
        """Train until the watched pairs gain no more, and return how the best weights do on them."""
        batches = itertools.islice(self._pairs.learn(), self._trainer.steps_done, None)
        if not self._curve:
            self._look()
        while self._trainer.steps_done < end.steps and not self._is_past_best(end.patience):
            self._trainer.step(next(batches))
            if self._trainer.steps_done % end.every == 0 or self._trainer.steps_done == end.steps:
                self._look()
        self._save()  # weights may be gone, or were never written by whoever was killed then
        best = min(self._curve, key=lambda watched: watched.loss)
        kept = best if self._keep == "best" else self._curve[-1]
        say(f"best after step {best.step:,}; weights of step {kept.step:,} are in {self._out / 'weights'}")
        return kept

    def _is_past_best(self, patience: int) -> bool:
        losses = [watched.loss for watched in self._curve]
        return len(losses) - 1 - losses.index(min(losses)) >= patience

    def _look(self) -> None:
        """Watch the held-out pairs, say and save what they say, and warn of what goes wrong."""
        watched = self._trainer.watch(self._watched)
        is_best = all(watched.loss < before.loss for before in self._curve)
        self._curve.append(watched)
        say(str(watched))
        for warning in _warnings(self._curve[0], watched):
            say(warning)
        if is_best or self._keep == "last":
            self._best = self._trainer.weights()
        self._save()

    def _save(self) -> None:
        trainer = self._trainer
        lesson = trainer.lesson
        with explain_full_disk(self._out, KEPT_CHECKPOINT):
            state = {**trainer.state, "best": self._best}
            self._saved.save(state, [watched.row for watched in self._curve], 0.0)
            weights = self._out / "weights"
            below: list[str] = []
            for part, frozen in lesson.frozen_parts.items():
                save_part(frozen, part, weights, below)
                below.append(part)
            best = copy.deepcopy(lesson.network)
            best.load_state_dict(self._best)
            save_part(best, lesson.kind, weights, lesson.builds_on)


def open_lesson(model: str, weights: Path, device: str) -> GainLesson:
    """Return a trained generator, ready to be trained on.

    Raises ``MissingWeightsError`` for a folder without the model.
    """
    trained = load_parts(weights, (*LESSONS[model].builds_on, model), device)[model]
    lesson = LESSONS[model](trained.settings.model_dump(), weights, device)
    if not isinstance(lesson, GainLesson):
        raise TypeError(f"{model} draws nothing")
    lesson.network.load_state_dict(trained.state_dict())
    return lesson


def _warnings(first: Watched, watched: Watched) -> list[str]:
    """Return what a reader of the log should know."""
    found = []
    if float(watched.rewards.accuracy) > CERTAIN:
        found.append(
            f"  the watched pairs are told apart in {float(watched.rewards.accuracy):.0%}: what is left to "
            "learn from them is their mistakes; fewer steps, or more pairs"
        )
    if watched.chosen_loss > first.chosen_loss:
        found.append(
            f"  the chosen side's own loss has risen from {first.chosen_loss:.4f} to "
            f"{watched.chosen_loss:.4f}: the model forgets how to restore; a greater --anchor, or a smaller "
            "--learning-rate"
        )
    return found
