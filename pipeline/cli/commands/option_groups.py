"""Options of commands that have many: a dataclass each, whose fields carry names, bounds and help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

SeedOption = Annotated[int, typer.Option(min=0, help="for weights, stretches, damage and noise")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda or cuda:1")]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Where a dataset goes, and in which form."""

    out: Annotated[
        str | None, typer.Option(help="folder to write to", show_default="<workspace>/dataset")
    ] = None
    push: Annotated[
        str | None,
        typer.Option(metavar="REPO", help="upload to this dataset on the Hugging Face hub, as OWNER/NAME"),
    ] = None
    public: Annotated[
        bool, typer.Option("--public", help="let everybody see a repository that --push makes")
    ] = False
    view: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="VIEW",
            help="write to --out what a trainer reads instead: jsonl, nemo, espnet, kto, lhotse or ranked",
        ),
    ] = None
    select: Annotated[
        int | None,
        typer.Option(
            min=1, help="with --as: only so many pairs, of as much damage and as many voices as can be"
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class PreferenceOptions:
    """How a training with preferences goes."""

    weights: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="the model that made the pairs", show_default="those that ship"),
    ] = None
    beta: Annotated[
        float | None,
        typer.Option(min=0.0, help="how closely the reference is held to", show_default="the paradigm's"),
    ] = None
    anchor: Annotated[float, typer.Option(min=0.0, help="weight of the chosen side's own loss")] = 1.0
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="of AdamW")] = 2e-5
    batch_size: Annotated[int, typer.Option(min=1, help="pairs per step")] = 8
    crop_s: Annotated[float, typer.Option(min=0.5, help="seconds of a pair")] = 4.0
    held_out: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="share of inputs that are watched, not learnt from")
    ] = 0.15
    min_strength: Annotated[
        float | None, typer.Option(help="least strength of a pair, in units of the criterion's scale")
    ] = None
    max_pairs: Annotated[
        int | None, typer.Option(min=1, help="learn from so many pairs at most, chosen by their names")
    ] = None
    random_labels: Annotated[
        bool, typer.Option("--random-labels", help="a control: draw which side of a pair counts as chosen")
    ] = False
    keep: Annotated[
        Literal["best", "last"],
        typer.Option(help="weights: the best by what is watched, or the last"),
    ] = "best"
    steps: Annotated[int, typer.Option(min=1, help="when to stop at the latest")] = 400
    every: Annotated[int, typer.Option(min=1, help="steps between two looks at the watched pairs")] = 20
    patience: Annotated[int, typer.Option(min=1, help="looks without a better one, then it stops")] = 5
    seed: SeedOption = 0
    device: DeviceOption = "cpu"


@dataclass(frozen=True, slots=True)
class InvitationOptions:
    """Who is invited to a listening test, and what it holds for them."""

    invited: Annotated[
        list[str] | None,
        typer.Option("--invite", metavar="NAME", help="instead, make a link for a listener; repeatable"),
    ] = None
    training: Annotated[
        int, typer.Option(min=0, max=20, help="of invited listeners: first trials, which do not count")
    ] = 2
    reference_every: Annotated[
        int,
        typer.Option(
            min=0, help="of invited listeners: one of so many trials hides the clean speech; 0: none"
        ),
    ] = 10
    address: Annotated[str, typer.Option(help="where the dashboard is served, for the links")] = (
        "http://127.0.0.1:8000"
    )
