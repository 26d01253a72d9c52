"""Commands on finished datasets."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.commands.option_groups import ExportOptions
from pipeline.cli.grouped_options import group_options
from pipeline.cli.options import (
    ConfigArgument,
    NoiseOption,
    ResponsesOption,
    SetOption,
    SpeechOption,
    WorkspaceOption,
    config_path,
    resolve_run,
    workspace_of,
)
from pipeline.store.workspaces import dataset_at, is_workspace, open_workspace, workspace_around
from schemas import UserError


@app.command(
    epilog=format_examples(
        "export demo",
        "export demo --set preference.pairs.keep=best",
        "export demo --out /data/demo-pairs",
        "export my.yaml --push me/my-pairs --public",
        "export runs/demo/dataset --as nemo --out /data/demo-nemo",
    )
)
@group_options
def export(
    *,
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    options: ExportOptions,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Write the dataset of a finished run again, there or somewhere else, and upload it if asked.

    Other criteria, margins, vetoes or pair rules than before are decided first; nothing is scored again. In
    the workspace, audit and report are written with the dataset; --out leaves them as they are.

    --push takes the token from HF_TOKEN or from 'hf auth login', and speaks to HF_ENDPOINT if that is set; a
    new repository is private. (Tested against a stand-in of the hub's HTTP interface, with its LFS transfer;
    not run against huggingface.co, nor with Xet transfer.)

    --as takes a folder with a dataset in place of CONFIG too.
    """
    from pipeline.cli.commands.export import Upload, export_command, view_command  # noqa: PLC0415

    out, view = options.out, options.view
    if options.select is not None and view is None:
        raise UserError("--select needs --as: a selection is written as a view")
    if view is not None and out is None:
        raise UserError("--as needs --out: a new folder for the view")
    if view is not None and out is not None and is_workspace(config):
        view_command(dataset_at(config), view, out, options.select)
        return
    resolved = resolve_run(config, assignments, speech, noise, responses, workspace)
    upload = None if options.push is None else Upload(options.push, options.public)
    place = workspace_of(workspace, resolved)
    export_command(resolved, place, out if view is None else None, upload)
    if view is not None and out is not None:
        view_command(place.dataset, view, out, options.select)


@app.command(
    epilog=format_examples("replay runs/demo/dataset 0", "replay DATASET PAIR_ID --workspace runs/demo")
)
def replay(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a folder, or a URL, with a dataset")],
    row: Annotated[str, typer.Argument(metavar="ROW", help="a pair_id, or a number from 0")],
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace",
            "-w",
            help="folder, or URL, with the tables that it was made from",
            show_default="the one that the dataset is in",
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--operators", metavar="FILE", help="your own file that the config named; repeatable"),
    ] = None,
) -> None:
    """Make the degraded side of a published row again from its recipe, and compare it bit for bit.

    Exit codes: 0 the same, 1 not the same, 2 a mistake in the command.
    """
    from pipeline.cli.commands.replay import replay_command  # noqa: PLC0415
    from pipeline.config.files import install_files  # noqa: PLC0415

    install_files(files or ())
    opened = workspace_around(dataset) if workspace is None else open_workspace(workspace, "")
    replay_command(dataset_at(dataset), row, opened)


@app.command(
    epilog=format_examples(
        "verify runs/demo/dataset", "verify DATASET --all", "verify DATASET --weights nisqa.tar"
    )
)
def verify(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a folder, or a URL, with a dataset")],
    rows: Annotated[int, typer.Option(min=0, help="pairs whose audio is decoded and scored again")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="which pairs these are")] = 0,
    every: Annotated[bool, typer.Option("--all", help="score all pairs again")] = False,  # noqa: FBT002
    weights: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="weights of a metric, known by their digest; repeatable"),
    ] = None,
    device: Annotated[str, typer.Option(help="for the metrics: cpu, cuda or cuda:1")] = "cpu",
    files: Annotated[
        list[str] | None,
        typer.Option("--operators", metavar="FILE", help="your own file that the config named; repeatable"),
    ] = None,
) -> None:
    """Check a dataset against what it says: files, counts, margins, votes, rules, splits, audio, scores.

    Where it holds its candidates, pairs are decided anew by its own criteria, vetoes and pair rule. Scores of
    a few pairs are computed again from the published audio; metrics that cannot be loaded here are named.
    Exit codes: 0 nothing wrong, 1 something is, 2 a mistake in the command.
    """
    from pipeline.cli.commands.verify import verify_command  # noqa: PLC0415
    from pipeline.config.files import install_files  # noqa: PLC0415

    install_files(files or ())
    verify_command(dataset_at(dataset), None if every else rows, seed, weights or (), device)


@app.command(epilog=format_examples("tokens runs/demo/dataset --codec dac_44khz --out runs/demo/tokens"))
def tokens(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a folder, or a URL, with a dataset")],
    codec: Annotated[
        Path,
        typer.Option(
            metavar="ours|FOLDER", help="a DAC as transformers keeps it, or ours: a folder of 'train'"
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="a new folder for the tokens")],
    codebooks: Annotated[
        int | None, typer.Option(min=1, help="so many of the first ones", show_default="all")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1")] = "cpu",
    form: Annotated[
        str,
        typer.Option("--as", metavar="FORM", help="codes, or text: prompt, chosen and rejected of tokens"),
    ] = "codes",
    tokenizer: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="a text tokenizer that must know all of the codes")
    ] = None,
) -> None:
    """Write the pairs of DATASET as codes of a DAC, or of our own codec, for models that speak in tokens.

    Each side becomes lists of 16-bit numbers, one per codebook; the codec's digest is kept with them. As
    text, a frame is one token per codebook, such as <|a0_17|><|a1_5|>, and vocabulary.txt lists all of them:
    a causal language model that has them trains on it with TRL's DPOTrainer as it is.

    Codes of ours are gains of bands around an estimate of the degraded side: 62.5 frames of six codes a
    second, for all sides of a pair around the same estimate, and nothing without the degraded recording.
    """
    from pipeline.cli.commands.tokens import tokens_command  # noqa: PLC0415

    tokens_command(dataset_at(dataset), codec, out, codebooks, device, form, tokenizer)


@app.command(
    epilog=format_examples(
        "perturb runs/demo/dataset --damage damage.yaml --out runs/demo/perturbed",
        "perturb runs/demo/dataset --damage damage.yaml --panel demo --out runs/demo/perturbed",
    )
)
def perturb(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a folder, or a URL, with a dataset")],
    damage: Annotated[
        str, typer.Option(metavar="FILE", help="a YAML file with a 'chain' of degradations without pools")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="a new folder for the pairs")],
    panel: Annotated[
        str | None,
        typer.Option(
            metavar="PANEL", help="a config whose votes have to hear the damage; its scores are kept"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="what is drawn follows from it")] = 0,
) -> None:
    """Write pairs whose rejected side is the chosen one of a pair of DATASET, damaged on purpose.

    They are a dataset of their own, in which 'origin' says what they are: no command mixes them among others.
    """
    from pipeline.cli.commands.perturb import perturb_command  # noqa: PLC0415

    judges = None if panel is None else config_path(panel)
    perturb_command(dataset_at(dataset), config_path(damage), out, seed, judges)
