"""``train vqscore`` and ``vq-enhance``: networks that know what clean speech sounds like, no more."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pipeline.sources.speech_folder import SpeechFolder
from pipeline.text import count, say
from schemas import MissingWeightsError, Record, UserError

if TYPE_CHECKING:  # torch, which --help does not wait for
    from stages.networks.vqscore_training import CleanSpeechTrainer, Loss

WEIGHTS_FOLDER = "weights"
CHECKPOINT_FILE = "checkpoint.pt"
CURVE_FILE = "losses.json"

_Curve = list[dict[str, float]]


def train_vqscore_command(
    speech: Path, out: Path, settings: Mapping[str, Any], *, steps: int, every: int, device: str
) -> None:
    """Train until ``steps`` are done, from the checkpoint in ``out`` if there is one.

    ``settings`` are those of ``VqScoreTraining``. Every ``every`` steps the mean losses are printed and
    everything is saved. Raises ``UserError`` if the checkpoint was made with other settings or speech.
    """
    from stages.networks.vqscore import VQSCORE_SAMPLE_RATE, save_network  # noqa: PLC0415 - torch
    from stages.networks.vqscore_training import VqScoreTrainer, VqScoreTraining  # noqa: PLC0415

    training = VqScoreTraining.model_validate(settings)
    folder = SpeechFolder(speech, VQSCORE_SAMPLE_RATE)
    trainer = VqScoreTrainer(training, folder.stretch, device)
    _train(trainer, training, folder, out, (steps, every))
    save_network(trainer.network, training.network, out / WEIGHTS_FOLDER)
    say(f"done: name it in a config as {{kind: vqscore, path: {out / WEIGHTS_FOLDER}}}")


def train_vq_enhance_command(
    speech: Path, out: Path, settings: Mapping[str, Any], *, steps: int, every: int, device: str
) -> None:
    """Train the restorer ``vq_enhance`` as ``train_vqscore_command`` does the metric's network."""
    from stages.networks.vq_enhancement_training import (  # noqa: PLC0415
        VqEnhancementTrainer,
        VqEnhancementTraining,
    )
    from stages.networks.vqscore import VQSCORE_SAMPLE_RATE, save_network  # noqa: PLC0415

    training = VqEnhancementTraining.model_validate(settings)
    folder = SpeechFolder(speech, VQSCORE_SAMPLE_RATE)
    trainer = VqEnhancementTrainer(training, folder.stretch, device)
    _train(trainer, training, folder, out, (steps, every))
    save_network(trainer.network, training.network, out / WEIGHTS_FOLDER)
    say(f"done: name it in a config as {{kind: vq_enhance, path: {out / WEIGHTS_FOLDER}}}")


def _train(
    trainer: "CleanSpeechTrainer[Any]",
    training: Record,
    folder: SpeechFolder,
    out: Path,
    pace: tuple[int, int],
) -> None:
    """Take steps from the checkpoint in ``out``; ``pace`` is when to stop, and steps between checkpoints."""
    steps, every = pace
    out.mkdir(parents=True, exist_ok=True)  # whoever may not write there is told before the first step
    made_with = {"settings": training.model_dump(mode="json"), "speech": folder.digest}
    curve = _restore_checkpoint(trainer, out / CHECKPOINT_FILE, made_with)
    hours = folder.duration_s / 3600
    say(f"{count(len(folder), 'recording')}, {hours:.2f} hours of clean speech in {folder.folder}")
    if trainer.steps_done:
        say(f"goes on after step {trainer.steps_done:,}")
    while trainer.steps_done < steps:
        stop = min(steps, (trainer.steps_done // every + 1) * every)
        losses = [trainer.step() for _ in range(stop - trainer.steps_done)]
        curve.append(_row(stop, losses))
        say(_line(curve[-1], steps))
        _save(out, trainer, curve, made_with)


def _row(step: int, losses: "Sequence[Loss]") -> dict[str, float]:
    return {
        "step": step,
        "loss": fmean(loss.total for loss in losses),
        "spectrum": fmean(loss.spectrum for loss in losses),
        "codes": fmean(loss.codes for loss in losses),
    }


def _line(row: Mapping[str, float], steps: int) -> str:
    parts = f"spectrum {row['spectrum']:.4f}, codes {row['codes']:.4f}"
    return f"step {row['step']:,.0f} of {steps:,}: loss {row['loss']:.4f} ({parts})"


def _restore_checkpoint(
    trainer: "CleanSpeechTrainer[Any]", path: Path, made_with: Mapping[str, Any]
) -> _Curve:
    """Bring ``trainer`` to the checkpoint in ``path`` and return its losses; none without a checkpoint."""
    from stages.networks.loading import read_checkpoint  # noqa: PLC0415

    if not path.exists():
        return []
    try:
        checkpoint = read_checkpoint(path)
    except MissingWeightsError as error:
        raise UserError(f"{error}; remove it to begin again") from error
    if not isinstance(checkpoint, Mapping) or not {"trainer", "curve", *made_with} <= checkpoint.keys():
        raise UserError(f"{path} is a checkpoint of something else; give another --out")
    for what, value in made_with.items():
        if checkpoint[what] != value:
            raise UserError(
                f"{path} was made with other {what}: {checkpoint[what]}, not {value}; "
                "give those, or another --out"
            )
    trainer.restore(checkpoint["trainer"])
    curve: _Curve = checkpoint["curve"]
    return curve


def _save(out: Path, trainer: "CleanSpeechTrainer[Any]", curve: _Curve, made_with: Mapping[str, Any]) -> None:
    """Write checkpoint and curve; whoever is killed here finds the last checkpoint whole."""
    import torch  # noqa: PLC0415

    draft = out / f"{CHECKPOINT_FILE}.draft"
    torch.save({"trainer": trainer.state, "curve": curve, **made_with}, draft)
    os.replace(draft, out / CHECKPOINT_FILE)  # noqa: PTH105 - says that it overwrites
    lines = ",\n".join(json.dumps(row) for row in curve)
    (out / CURVE_FILE).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
