"""Options that several commands have, and what they stand for."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config.resolve import ResolvedConfig, resolve
from pipeline.config.stand_ins import Begun, read_stand_ins, stand_in_lines
from pipeline.store.workspace import Workspace
from pipeline.store.workspaces import open_workspace
from schemas import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"

ConfigArgument = Annotated[
    str, typer.Argument(metavar="CONFIG", help="a YAML file; a bare name is looked up in configs/")
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        "-w",
        help="folder, or URL of an object store, for tables and dataset",
        show_default="runs/<config name>",
    ),
]
CacheOption = Annotated[
    str | None,
    typer.Option(
        "--cache",
        metavar="FOLDER",
        help="where weights are kept; runs look in $UNANIMOUS_WEIGHTS",
        show_default="$UNANIMOUS_WEIGHTS, or ~/.cache/unanimous/weights",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="A.B=VALUE", help="change one setting, e.g. --set restorers.0.takes=3; repeatable"
    ),
]
SpeechOption = Annotated[
    str | None,
    typer.Option("--speech", metavar="PATH", help="your own clean speech: a folder, manifest or URL"),
]
NoiseOption = Annotated[
    str | None, typer.Option("--noise", metavar="PATH", help="your own noise recordings, as the pool 'noise'")
]
ResponsesOption = Annotated[
    str | None, typer.Option("--responses", metavar="PATH", help="your own room responses, as the pool 'rir'")
]


def resolve_run(
    config: str,
    assignments: list[str] | None,
    speech: str | None = None,
    noise: str | None = None,
    responses: str | None = None,
    workspace: str | None = None,
) -> ResolvedConfig:
    """Return the checked run of a config and the options that change it; say what stands in for what."""
    resolved = resolve(
        config_path(config),
        assignments or (),
        replacements_from(speech, noise, responses),
        begun_in(workspace),
    )
    kept = workspace_of(workspace, resolved).stand_ins if resolved.stand_ins else None
    for line in () if kept is None else stand_in_lines(resolved.stand_ins, kept):
        sys.stderr.write(f"{line}\n")
    return resolved


def begun_in(workspace: str | None) -> Begun:
    """Return what knows, given the name of a run, what it began with in the workspace that was asked for."""
    return lambda name: read_stand_ins(open_workspace(workspace, name).stand_ins)


def replacements_from(speech: str | None, noise: str | None, responses: str | None) -> dict[str, str]:
    """Return the user's own recordings by what they stand for, those that were given."""
    given = {"speech": speech, "noise": noise, "responses": responses}
    return {what: where for what, where in given.items() if where is not None}


def config_path(text: str) -> Path:
    """Return the config's file; a name that is no path here is looked up in ``configs/``.

    Raises ``ConfigError`` that lists what there is.
    """
    found = find_config(text)
    if found is not None:
        return found
    known = ", ".join(sorted(path.name for path in CONFIGS.glob("*.yaml")))
    raise ConfigError(f"there is no config {text!r}, here or in configs/, which has: {known}")


def find_config(text: str) -> Path | None:
    """Return the config's file, here or in ``configs/``; None if there is none."""
    names = [text] if text.endswith((".yaml", ".yml")) else [text, f"{text}.yaml"]
    places = [Path(name) for name in names] + [CONFIGS / name for name in names]
    return next((path for path in places if path.is_file()), None)


def workspace_of(text: str | None, resolved: ResolvedConfig) -> Workspace:
    """Return the workspace that was asked for, or the config's own."""
    return open_workspace(text, resolved.config.name)
