"""Commands that train an example: code to copy, small enough to watch."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.application import format_examples
from pipeline.cli.commands.option_groups import SeedOption
from pipeline.cli.training import RateOption, train


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


@train.command(
    name="grpo-example",
    epilog=format_examples("train grpo-example runs/demo/dataset runs/demo.yaml --steps 4"),
)
def grpo_example(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a folder with a finished dataset")],
    panel: Annotated[str, typer.Argument(metavar="CONFIG", help="whose metrics reward, by its votes")],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="the model to begin with", show_default="the one that ships"),
    ] = None,
    reward: Annotated[
        Literal["scores", "unanimity"],
        typer.Option(help="the sum of the votes, or the share of the group that all votes put below"),
    ] = "scores",
    steps: Annotated[int, typer.Option(min=1, help="of drawing, judging and learning")] = 4,
    inputs: Annotated[int, typer.Option(min=1, help="of each step")] = 2,
    takes: Annotated[int, typer.Option(min=2, help="of each input: a group")] = 8,
    watched: Annotated[int, typer.Option(min=1, help="inputs that are heard before and after")] = 2,
    learning_rate: RateOption = 2e-5,
    seed: SeedOption = 0,
) -> None:
    """Train fm for some steps with the panel of CONFIG as reward: an example to copy.

    Takes of an input are a group; what the panel likes better than the rest of its group becomes likelier.
    The code is pipeline/training/group_policy.py. Nothing is saved: so few steps change next to nothing.
    """
    from pipeline.panel import Panel  # noqa: PLC0415
    from pipeline.training.group_policy import GroupTraining  # noqa: PLC0415
    from pipeline.training.grpo_example import GrpoExample, train_grpo_example  # noqa: PLC0415
    from stages.networks.generative.parts import SHIPPED  # noqa: PLC0415

    how = GroupTraining(takes=takes, learning_rate=learning_rate, reward=reward, seed=seed)
    example = GrpoExample(steps, inputs, watched)
    train_grpo_example(dataset, Panel.load(panel), weights or SHIPPED, example, how)
