"""Commands that train networks."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.commands.option_groups import DeviceOption, PreferenceOptions, SeedOption
from pipeline.cli.grouped_options import group_options
from pipeline.cli.options import (
    ConfigArgument,
    NoiseOption,
    ResponsesOption,
    SetOption,
    SpeechOption,
    resolve_run,
)

train = typer.Typer(
    no_args_is_help=True,
    help="Train the project's own restorers, a network that nobody publishes with a licence, or an example "
    "of DPO.",
)
app.add_typer(train, name="train")


@train.command(
    epilog=format_examples(
        "train vqscore --speech ~/clean --out vqscore",
        "train vqscore --speech ~/clean --out vqscore --steps 800000 --batch-size 64 --device cuda",
    )
)
def vqscore(
    speech: Annotated[Path, typer.Option(metavar="FOLDER", help="clean speech, and nothing else")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="for weights, checkpoint and losses.json")],
    steps: Annotated[int, typer.Option(min=1, help="when to stop; more later go on from there")] = 10_000,
    batch_size: Annotated[int, typer.Option(min=1, help="stretches of speech per step")] = 16,
    stretch_s: Annotated[float, typer.Option(min=0.1, help="seconds of a stretch")] = 3.0,
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="of Adam")] = 3e-4,
    codes: Annotated[int, typer.Option(min=2, help="code vectors")] = 2_048,
    seed: Annotated[int, typer.Option(min=0, help="for weights and for what is drawn")] = 0,
    every: Annotated[int, typer.Option(min=1, help="steps between two lines and checkpoints")] = 100,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1")] = "cpu",
) -> None:
    """Train the network of the metric vqscore on clean speech alone.

    Stopped at any moment, the same command goes on from the last checkpoint; on a CPU the weights are bit
    for bit those of a training that never stopped.
    """
    from pipeline.cli.commands.train import train_vqscore_command  # noqa: PLC0415

    settings = {
        "seed": seed,
        "batch_size": batch_size,
        "stretch_s": stretch_s,
        "learning_rate": learning_rate,
        "network": {"codes": codes},
    }
    train_vqscore_command(speech, out, settings, steps=steps, every=every, device=device)


@train.command(
    name="vq-enhance",
    epilog=format_examples(
        "train vq-enhance --speech ~/clean --out vq-enhance",
        "train vq-enhance --speech ~/clean --out vq --steps 500000 --clean-steps 400000 --device cuda",
    ),
)
def vq_enhance(
    speech: Annotated[Path, typer.Option(metavar="FOLDER", help="clean speech, and nothing else")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="for weights, checkpoint and losses.json")],
    steps: Annotated[int, typer.Option(min=1, help="when to stop; more later go on from there")] = 10_000,
    clean_steps: Annotated[int, typer.Option(min=1, help="of them on clean speech, before noise")] = 8_000,
    batch_size: Annotated[int, typer.Option(min=1, help="stretches of speech per step")] = 16,
    stretch_s: Annotated[float, typer.Option(min=0.1, help="seconds of a stretch")] = 3.0,
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="of Adam")] = 3e-4,
    codes: Annotated[int, typer.Option(min=2, help="code vectors")] = 4_096,
    seed: Annotated[int, typer.Option(min=0, help="for weights and for what is drawn")] = 0,
    every: Annotated[int, typer.Option(min=1, help="steps between two lines and checkpoints")] = 100,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1")] = "cpu",
) -> None:
    """Train the restorer vq_enhance on clean speech alone: codes first, then its encoder against itself.

    Noise is none that was recorded: it is what leads the encoder astray. Stopped at any moment, the same
    command goes on from the last checkpoint; on a CPU the weights are bit for bit those of a training that
    never stopped.
    """
    from pipeline.cli.commands.train import train_vq_enhance_command  # noqa: PLC0415

    settings = {
        "seed": seed,
        "batch_size": batch_size,
        "stretch_s": stretch_s,
        "learning_rate": learning_rate,
        "clean_steps": clean_steps,
        "network": {"codes": codes},
    }
    train_vq_enhance_command(speech, out, settings, steps=steps, every=every, device=device)


OutOption = Annotated[
    Path, typer.Option(metavar="FOLDER", help="for weights, checkpoints, curves and ingested recordings")
]
HoursOption = Annotated[
    float | None, typer.Option(min=0.001, help="hours of steps, then it stops; more later go on from there")
]
StepsOption = Annotated[int | None, typer.Option(min=1, help="when to stop, if hours are not over before")]
BatchSizeOption = Annotated[int, typer.Option(min=1, help="mixtures per step")]
StretchOption = Annotated[float, typer.Option(min=0.5, help="seconds of a mixture")]
RateOption = Annotated[float, typer.Option(min=1e-9, help="of AdamW, after warming up")]
ChannelsOption = Annotated[int, typer.Option(min=8, help="width of the network")]
BlocksOption = Annotated[int, typer.Option(min=1, help="depth of the network")]
EveryOption = Annotated[float, typer.Option(min=0.01, help="minutes between two lines and checkpoints")]
JudgedOption = Annotated[int, typer.Option(min=1, max=16, help="mixtures listened to for each line")]
FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FOLDER", help="of weights to begin with: fine-tuning, on other recordings say"
    ),
]


def _add_part(part: str, story: str, example: str, blocks: int) -> None:
    """Add the command that trains one network of the project's own restorers."""

    @train.command(name=part, help=story, epilog=format_examples(example))
    def train_part(
        config: ConfigArgument,
        out: OutOption,
        hours: HoursOption = None,
        steps: StepsOption = None,
        speech: SpeechOption = None,
        noise: NoiseOption = None,
        responses: ResponsesOption = None,
        assignments: SetOption = None,
        batch_size: BatchSizeOption = 8,
        stretch_s: StretchOption = 3.0,
        learning_rate: RateOption = 1e-3,
        channels: ChannelsOption = 256,
        blocks: BlocksOption = blocks,
        seed: SeedOption = 0,
        every_minutes: EveryOption = 5.0,
        judged: JudgedOption = 8,
        device: DeviceOption = "cpu",
        initial: FromOption = None,
    ) -> None:
        from pipeline.cli.commands.train_generative import (  # noqa: PLC0415
            TrainingOptions,
            train_part_command,
        )

        options = TrainingOptions(
            hours=hours,
            steps=steps,
            batch_size=batch_size,
            stretch_s=stretch_s,
            learning_rate=learning_rate,
            channels=channels,
            blocks=blocks,
            seed=seed,
            every_minutes=every_minutes,
            judged=judged,
            device=device,
            initial=initial,
        )
        run = resolve_run(config, assignments, speech, noise, responses)
        train_part_command(run, part, out, options)


_RESUMES = (
    " CONFIG is that of a run: its speech, pools and degradations are heard. Stopped at any moment, the same "
    "command goes on from the last checkpoint; on a CPU the weights after as many steps are bit for bit "
    "those of a training that never stopped."
)
_add_part(
    "estimate",
    "Train the predictive network that fm, mgm and ar start from: gains of bins, without draws." + _RESUMES,
    "train estimate my.yaml --speech ~/clean --out restorers --hours 1",
    8,
)
_add_part(
    "fm",
    "Train the flow that draws band gains around the estimate in --out." + _RESUMES,
    "train fm my.yaml --speech ~/clean --out restorers --hours 1",
    6,
)
_add_part(
    "mgm",
    "Train the masked generator of codes around the estimate and the codec in --out." + _RESUMES,
    "train mgm my.yaml --speech ~/clean --out restorers --hours 1",
    6,
)
_add_part(
    "ar",
    "Train the generator of codes, one frame after the other, around the estimate and the codec in --out."
    + _RESUMES,
    "train ar my.yaml --speech ~/clean --out restorers --hours 1",
    6,
)


@train.command(epilog=format_examples("train codec my.yaml --speech ~/clean --out restorers"))
def codec(
    config: ConfigArgument,
    out: OutOption,
    batches: Annotated[int, typer.Option(min=1, help="of 16 mixtures that the codes are learnt from")] = 60,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
    assignments: SetOption = None,
    stretch_s: StretchOption = 3.0,
    seed: SeedOption = 0,
) -> None:
    """Learn the codes of mgm and ar: residual k-means of the gains around the estimate in --out."""
    from pipeline.cli.commands.train_generative import train_codec_command  # noqa: PLC0415

    run = resolve_run(config, assignments, speech, noise, responses)
    train_codec_command(run, out, batches=batches, stretch_s=stretch_s, seed=seed)


@train.command(
    epilog=format_examples(
        "train dpo fm runs/gensr_pref/dataset --out fm-dpo",
        "train dpo ar runs/gensr_pref/dataset --out ar-dpo --weights restorers/weights --anchor 1",
    )
)
@group_options
def dpo(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="fm, mgm or ar")],
    dataset: Annotated[
        str,
        typer.Argument(metavar="DATASET", help="a folder with a finished dataset, or OWNER/NAME on the hub"),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="for weights, checkpoint and curve")],
    options: PreferenceOptions,
) -> None:
    """Improve MODEL by the pairs within it that DATASET holds: DPO, anchored on the chosen side.

    Pairs of some inputs are watched instead of learnt from; the weights that do best on them are kept.
    """
    from pipeline.cli.commands.train_generative import train_dpo_command  # noqa: PLC0415

    train_dpo_command(model, dataset, out, options)
