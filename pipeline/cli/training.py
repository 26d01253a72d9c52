"""Commands that train networks."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples

train = typer.Typer(
    no_args_is_help=True,
    help="Train a network: one that nobody publishes with a licence, or an example of DPO.",
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


@train.command(name="dpo-example", epilog=format_examples("train dpo-example runs/demo/dataset"))
def dpo_example(
    dataset: Annotated[
        str,
        typer.Argument(metavar="DATASET", help="a folder with a finished dataset, or OWNER/NAME on the hub"),
    ],
    steps: Annotated[int, typer.Option(min=1, help="of DPO")] = 60,
    warm_up_steps: Annotated[int, typer.Option(min=0, help="before it, on the chosen sides alone")] = 30,
    beta: Annotated[float, typer.Option(min=0.0, help="how closely the reference is held to")] = 1_000.0,
    seed: Annotated[int, typer.Option(min=0, help="for weights, order, stretches and noise")] = 0,
) -> None:
    """Train a tiny flow-matching model on DATASET with DPO, and show the loss falling: an example to copy.

    The code is pipeline/dpo/example.py. Nothing is saved: the model is too small to restore anything.
    """
    from pipeline.dpo.example import train_example  # noqa: PLC0415

    train_example(dataset, steps=steps, warm_up_steps=warm_up_steps, beta=beta, seed=seed)
