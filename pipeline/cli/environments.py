"""Commands on the environments of published models."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.options import find_config

environments = typer.Typer(
    no_args_is_help=True, help="Make, check, list and remove the environments of published models."
)
app.add_typer(environments, name="environments")
TargetsArgument = Annotated[
    list[str],
    typer.Argument(metavar="CONFIG|KIND…", help="a config, whose models are meant, or kinds of models"),
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="KIND", help="of the config's models, this one; repeatable"),
]


@environments.command(
    name="make",
    epilog=format_examples(
        "environments make gensr_pref_paper", "environments make my.yaml --only flowse --cpu"
    ),
)
def environments_make(
    targets: TargetsArgument,
    only: OnlyOption = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="without CUDA: gigabytes less")] = False,  # noqa: FBT002
    code: Annotated[
        str | None,
        typer.Option("--code", metavar="FOLDER", help="take repositories from clones here, owner+name"),
    ] = None,
) -> None:
    """Make what is not there yet, from the lock file that ships with each model: uv or pip, and git.

    Packages come from your own index as pip or uv is set up; a model's code comes at the pinned commit.
    """
    from pipeline.cli.commands.environments import environments_make_command  # noqa: PLC0415

    environments_make_command(*_split(targets), only or (), code, cpu=cpu)


@environments.command(name="check", epilog=format_examples("environments check gensr_pref_paper"))
def environments_check(targets: TargetsArgument, only: OnlyOption = None) -> None:
    """Run each model on random weights, which its own code writes, for a second of audio."""
    from pipeline.cli.commands.environments import environments_check_command  # noqa: PLC0415

    environments_check_command(*_split(targets), only or ())


@environments.command(name="list", epilog=format_examples("environments list"))
def environments_list() -> None:
    """List all models that have an environment: whether it is here, its Python, its code, its size."""
    from pipeline.cli.commands.environments import environments_list_command  # noqa: PLC0415

    environments_list_command()


@environments.command(name="remove", epilog=format_examples("environments remove sgmse"))
def environments_remove(targets: TargetsArgument, only: OnlyOption = None) -> None:
    """Remove environments; weights stay."""
    from pipeline.cli.commands.environments import environments_remove_command  # noqa: PLC0415

    environments_remove_command(*_split(targets), only or ())


def _split(targets: list[str]) -> tuple[list[Path], list[str]]:
    paths = {target: find_config(target) for target in targets}
    return [path for path in paths.values() if path is not None], [
        t for t, path in paths.items() if path is None
    ]
