"""``train estimate|codec|fm|mgm|ar``: the parts of the project's own generative restorers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.commands.option_groups import PreferenceOptions
from pipeline.config.resolve import ResolvedConfig
from pipeline.store.workspace import Workspace
from pipeline.text import say
from schemas import Split, UserError

if TYPE_CHECKING:  # torch, which --help does not wait for
    from pipeline.training.material import Material
    from pipeline.training.mixtures import Mixtures

GENERATORS = ("fm", "mgm", "ar")


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What the command line says of a training."""

    hours: float | None
    steps: int | None
    batch_size: int
    stretch_s: float
    learning_rate: float
    channels: int
    blocks: int
    seed: int
    every_minutes: float
    judged: int
    device: str
    initial: Path | None = None
    """A folder with weights of the part to begin with."""


def train_part_command(run: ResolvedConfig, part: str, out: Path, options: TrainingOptions) -> None:
    """Train ``part`` until hours or steps are over, from the checkpoint in ``out`` if there is one.

    Raises ``UserError`` if neither end is given, or the checkpoint is of another training, or the weights to
    begin with are of another size; ``MissingWeightsError`` without those or the parts that it builds on.
    """
    from pipeline.training.lessons import LESSONS, begin_with  # noqa: PLC0415 - torch
    from pipeline.training.session import Pace, Session  # noqa: PLC0415
    from pipeline.training.trainer import Trainer  # noqa: PLC0415
    from stages.networks.generative.estimate import num_parameters  # noqa: PLC0415
    from stages.networks.generative.parts import part_file  # noqa: PLC0415
    from stages.networks.loading import require_device  # noqa: PLC0415
    from stages.operators.rng import rng_for  # noqa: PLC0415
    from stages.runtime.seeding import seeded_from  # noqa: PLC0415
    from stages.weights.files import weights_digest  # noqa: PLC0415

    if options.hours is None and options.steps is None:
        raise UserError("say when it is enough: --hours or --steps")
    require_device(options.device)
    _require_parts(out / "weights", LESSONS[part].builds_on)
    material = open_material(run, out)
    mixtures = open_mixtures(material, options.stretch_s, options.seed)
    settings = {"channels": options.channels, "blocks": options.blocks}
    with seeded_from(rng_for(options.seed, "train", part, "weights")):
        lesson = LESSONS[part](settings, out / "weights", options.device)
    begun_with = None if options.initial is None else begin_with(options.initial, lesson)
    trainer = Trainer(
        lesson,
        mixtures,
        seed=options.seed,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        device=options.device,
    )
    network: Any = lesson.network
    say(f"{part}: {num_parameters(network) / 1e6:.2f} M parameters")
    made_with = {
        **settings,
        "seed": options.seed,
        "batch size": options.batch_size,
        "stretch_s": options.stretch_s,
        "learning rate": options.learning_rate,
        "config": material.key,
        **{each: weights_digest(part_file(out / "weights", each)) for each in lesson.builds_on},
        "weights to begin with": begun_with,
    }
    Session(trainer, out, made_with).run(
        Pace(options.steps, options.hours, 60 * options.every_minutes, options.judged)
    )


def train_codec_command(run: ResolvedConfig, out: Path, *, batches: int, stretch_s: float, seed: int) -> None:
    """Learn the codebooks of ``mgm`` and ``ar`` over the estimate in ``out``."""
    from pipeline.training.codebooks import train_codebooks  # noqa: PLC0415 - torch

    _require_parts(out / "weights", ("estimate",))
    mixtures = open_mixtures(open_material(run, out), stretch_s, seed)
    train_codebooks(mixtures, out / "weights", batches, seed)


def _require_parts(weights: Path, parts: tuple[str, ...]) -> None:
    """Raise ``MissingWeightsError`` for a part that is not there, before anything takes long."""
    from stages.networks.generative.parts import load_parts  # noqa: PLC0415 - torch

    load_parts(weights, parts, "cpu")


def open_material(run: ResolvedConfig, out: Path) -> "Material":
    """Ingest what the config names, where it is not yet, and say how much there is."""
    from pipeline.training.material import Material  # noqa: PLC0415 - torch

    material = Material(run, Workspace(out / "material"))
    hours = {side: material.duration_s(side) / 3600 for side in (Split.TRAIN, Split.VALIDATION)}
    say(", ".join(f"{side}: {value:.2f} h of speech" for side, value in hours.items()))
    return material


def open_mixtures(material: "Material", stretch_s: float, seed: int) -> "Mixtures":
    """Return mixtures at the rate of the networks."""
    from pipeline.training.mixtures import Mixtures  # noqa: PLC0415 - torch
    from stages.networks.generative.spectra import GENERATIVE_SAMPLE_RATE  # noqa: PLC0415

    return Mixtures(material, seed, stretch_s, GENERATIVE_SAMPLE_RATE)


def train_dpo_command(model: str, dataset: str, out: Path, options: PreferenceOptions) -> None:
    """Train ``model`` on the pairs of ``dataset`` that are within it, from the weights that it ships with.

    Raises ``UserError`` for another model, or a dataset without pairs of it.
    """
    from pipeline.training.preference import Preferences  # noqa: PLC0415 - torch
    from pipeline.training.preference_session import (  # noqa: PLC0415
        PreferenceEnd,
        PreferenceSession,
        open_lesson,
    )
    from stages.networks.generative.parts import SHIPPED, part_file  # noqa: PLC0415
    from stages.networks.loading import require_device  # noqa: PLC0415
    from stages.weights.files import weights_digest  # noqa: PLC0415

    if model not in GENERATORS:
        raise UserError(f"there is no generator {model!r} to train; choose one of: {', '.join(GENERATORS)}")
    weights = options.weights or SHIPPED
    if weights.resolve() == (out / "weights").resolve():
        raise UserError(f"{weights} is the model that the training begins with: give another --out")
    lesson = open_lesson(model, weights, require_device(options.device))
    how = Preferences(
        beta=lesson.beta if options.beta is None else options.beta,
        anchor=options.anchor,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        crop_s=options.crop_s,
        held_out=options.held_out,
        seed=options.seed,
        min_strength=options.min_strength,
        max_pairs=options.max_pairs,
        random_labels=options.random_labels,
        keep=options.keep,
    )
    origin = {part: weights_digest(part_file(weights, part)) for part in (*lesson.builds_on, model)}
    session = PreferenceSession(lesson, dataset, out, how, origin)
    session.run(PreferenceEnd(options.steps, options.every, options.patience))
    say(f"name it in a config as {{kind: {model}, path: {out / 'weights'}}}")
