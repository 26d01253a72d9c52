"""The command that makes pseudo-clean speech of real recordings."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.options import SetOption, config_path
from pipeline.config.stand_ins import read_stand_ins, stand_in_lines
from pipeline.store.workspace import Workspace
from pipeline.store.workspaces import open_workspace


@app.command(
    epilog=format_examples(
        "annotate ~/field-recordings --model fm --out annotations",
        "annotate calls.csv --model restorers --takes 8 --language en --out annotations",
        "annotate songs/ --model fm --model gtcrn --out songs --set preference.vetoes.0.unmeasured=pass",
    )
)
def annotate(
    recordings: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]PATH...",
            help="real recordings: folders, files, patterns, manifests, saved datasets",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="for the annotations, as a dataset")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND|FOLDER",
            help="who restores: a kind of restorer, a folder of 'train', or KIND=FOLDER; repeatable",
        ),
    ] = None,
    takes: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="restorations per model", show_default="5; 1 if it cannot vary"),
    ] = None,
    panel: Annotated[
        str | None,
        typer.Option(
            metavar="PANEL",
            help="a YAML file with 'metrics' and 'preference', such as a config",
            show_default="pipeline/config/annotation.yaml",
        ),
    ] = None,
    language: Annotated[str | None, typer.Option(help="of recordings that state none, such as en")] = None,
    licence: Annotated[str | None, typer.Option(help="of recordings that state none")] = None,
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace", "-w", help="what was computed is kept here", show_default="runs/<panel name>"
        ),
    ] = None,
    executor: Annotated[str, typer.Option(help="ray: all cores, or a cluster; local: this process")] = "ray",
    workers: Annotated[int | None, typer.Option(min=1, help="at most so many", show_default="cores")] = None,
    assignments: SetOption = None,
) -> None:
    """Make pairs (degraded, pseudo-clean) of real recordings that have no clean reference, with scores.

    Each recording is restored several times. A take is kept only if every vote of PANEL, all scores that
    need no reference, prefers it to the recording beyond its margin and to every other take, and if it keeps
    the words and the voice of the recording. Otherwise the recording is left out, and the table 'candidates'
    says why.

    What cannot be read, is silent or holds no speech has its reason too, and the others go on. Long
    recordings are split at pauses. A second call goes on where the first one ended, and takes in what is new.
    """
    from pipeline.cli.commands.annotate import annotate_command  # noqa: PLC0415
    from pipeline.config.annotation import ANNOTATION_PANEL, resolve_annotation  # noqa: PLC0415
    from pipeline.config.named_models import restorer_entries_of  # noqa: PLC0415
    from pipeline.operations.annotate import RealRecordings  # noqa: PLC0415

    def place(name: str) -> Workspace:
        return open_workspace(workspace, name)

    resolved = resolve_annotation(
        ANNOTATION_PANEL if panel is None else config_path(panel),
        restorer_entries_of(model or (), takes),
        assignments or (),
        lambda name: read_stand_ins(place(name).stand_ins),
    )
    opened = place(resolved.config.name)
    for line in stand_in_lines(resolved.stand_ins, opened.stand_ins):
        sys.stderr.write(f"{line}\n")
    given = RealRecordings(recordings, out, language, licence)
    annotate_command(resolved, given, opened, executor, workers)
