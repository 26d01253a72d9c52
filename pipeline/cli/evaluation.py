"""Commands that say how good scores and pairs are."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.commands.option_groups import InvitationOptions
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
from pipeline.config.panel import resolve_panel
from pipeline.config.stand_ins import read_stand_ins, stand_in_lines
from pipeline.store.files import expand_home
from pipeline.store.workspace import Workspace
from pipeline.store.workspaces import is_workspace, open_workspace

HumanOption = Annotated[
    Path | None,
    typer.Option(
        "--human",
        metavar="FILE",
        help="people's ratings: a CSV of opinion scores or preferences, or votes of a listening test (JSONL)",
    ),
]


@app.command(
    epilog=format_examples(
        "audit runs/demo",
        "audit runs/demo --human ratings.csv",
        "audit demo --set preference.held_out=[si_sdr]",
        "audit my.yaml -w runs/my --json",
    )
)
def audit(
    target: Annotated[
        str,
        typer.Argument(
            metavar="WORKSPACE|CONFIG",
            help="a workspace: what its last run found; a config: what it makes of a workspace's scores",
        ),
    ],
    workspace: WorkspaceOption = None,
    human: HumanOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,  # noqa: FBT002
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Say whether pairs are better by scores that did not choose them, and how scores agree.

    How often the chosen side is better, against pairs that one criterion alone, or chance, would choose; what
    each criterion prevents; candidates that a score prefers to clean speech; where pairs come from. With
    --human, or votes of the listening test, how far scores, unanimity and pairs agree with people. In
    Markdown. Writes nothing.
    """
    from pipeline.cli.commands.audit import audit_command, kept_audit_command  # noqa: PLC0415

    if is_workspace(target):
        kept_audit_command(open_workspace(target, ""), human, as_json=as_json)
        return
    resolved = resolve_run(target, assignments, speech, noise, responses, workspace)
    audit_command(resolved, workspace_of(workspace, resolved), human, as_json=as_json)


@app.command(
    epilog=format_examples(
        "score panel.yaml restored/ --clean clean/",
        "score demo mine=out/mine theirs=out/theirs --clean clean.csv --out scores.csv",
        "score panel.yaml 'out/*.wav' --executor local",
    )
)
def score(
    panel: Annotated[
        str,
        typer.Argument(
            metavar="PANEL", help="a YAML file with 'metrics', such as a config; bare names as elsewhere"
        ),
    ],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]PATH...",
            help="restored audio: folders, files, patterns, manifests; NAME tells models apart",
        ),
    ],
    clean: Annotated[
        str | None, typer.Option(metavar="PATH", help="clean references under the same names: the same forms")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="where the scores go: .parquet or .csv")] = Path(
        "scores.parquet"
    ),
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace", "-w", help="what was scored is kept here", show_default="runs/<name>-scores"
        ),
    ] = None,
    executor: Annotated[str, typer.Option(help="ray: all cores, or a cluster; local: this process")] = "ray",
    workers: Annotated[int | None, typer.Option(min=1, help="at most so many", show_default="cores")] = None,
    assignments: SetOption = None,
) -> None:
    """Score audio that is there already with the metrics of PANEL, as a run scores its own.

    Each file gets a value or a reason for each score, and, where PANEL has votes, the share of the other
    candidates of its item that it beats on all of them. Files are scored as they are: a candidate must have
    the rate and the length of its clean reference. A second call goes on where the first one ended.
    """
    from pipeline.cli.commands.score import score_command  # noqa: PLC0415
    from pipeline.operations.score import GivenPaths  # noqa: PLC0415

    def place(name: str) -> Workspace:
        return open_workspace(workspace, f"{name}-scores")

    path = config_path(panel)
    resolved = resolve_panel(path, assignments or (), lambda name: read_stand_ins(place(name).stand_ins))
    opened = place(resolved.config.name)
    for line in stand_in_lines(resolved.stand_ins, opened.stand_ins):
        sys.stderr.write(f"{line}\n")
    score_command(resolved, GivenPaths(files, clean, out), opened, executor, workers)


@app.command(epilog=format_examples("calibrate demo", "calibrate my.yaml --utterances 50 > margins.yaml"))
def calibrate(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    utterances: Annotated[int, typer.Option(min=1, help="how many to measure on")] = 16,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Measure how far scores move when nothing audible changes, and print margins to paste into a config.

    Nothing reads them by itself. Decodes and degrades a few shards, which a run then finds done.
    """
    from pipeline.cli.commands.calibrate import calibrate_command  # noqa: PLC0415

    resolved = resolve_run(config, assignments, speech, noise, responses, workspace)
    calibrate_command(resolved, workspace_of(workspace, resolved), utterances)


@app.command(epilog=format_examples("ladders demo", "ladders my.yaml --speech ~/clean --utterances 50"))
def ladders(
    config: ConfigArgument,
    utterances: Annotated[
        int, typer.Option(min=1, help="clean recordings to damage, from all over the corpora")
    ] = 24,
    device: Annotated[
        str, typer.Option(help="for metrics with 'gpus' in the config: cpu, cuda or cuda:1")
    ] = "cpu",
    assignments: SetOption = None,
    speech: SpeechOption = None,
) -> None:
    """Say whether the metrics of CONFIG notice that speech gets worse: who may vote, and who should not.

    Clean utterances are damaged in eight ways, step by step, and scored; for each score and each way the
    table says how well the score fell (Kendall's tau). Writes nothing.
    """
    from pipeline.cli.commands.ladders import ladders_command  # noqa: PLC0415

    ladders_command(resolve_run(config, assignments, speech), utterances, device)


@app.command(epilog=format_examples("report runs/demo", "report runs/demo --out ~/demo.html"))
def report(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="the file to write", show_default="WORKSPACE/report.html"),
    ] = None,
    human: HumanOption = None,
) -> None:
    """Write one HTML file on a workspace, also of a run that is not finished: numbers, charts, pairs to hear.

    It opens anywhere, without a network. Every run writes it at its end.
    """
    from pipeline.cli.commands.report import report_command  # noqa: PLC0415

    report_command(open_workspace(workspace, ""), out, human)


@app.command(
    epilog=format_examples(
        "dashboard runs/demo", "dashboard runs/demo --port 0", "dashboard /data/my --host 0.0.0.0 --open"
    )
)
def dashboard(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    host: Annotated[
        str, typer.Option(help="address to serve on; others than this machine need --open")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any that is free")] = 8_000,
    is_open: Annotated[  # noqa: FBT002
        bool, typer.Option("--open", help="let everybody who reaches the address look, listen and vote")
    ] = False,
) -> None:
    """Serve a workspace in the browser, also while a run fills it: the report, live, and a listening test.

    Takes no lock and writes nothing but votes.
    """
    from pipeline.dashboard.serve import dashboard_command  # noqa: PLC0415

    dashboard_command(open_workspace(workspace, ""), host, port, is_open=is_open)


@app.command(
    epilog=format_examples(
        "listening runs/demo",
        "listening runs/demo --invite Ann --invite Ben --training 2 --reference-every 10",
        "listening runs/demo --careful --out votes.parquet",
        "listening runs/demo --import votes.csv",
    )
)
@group_options
def listening(
    *,
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
    careful: Annotated[bool, typer.Option("--careful", help="without listeners who seem careless")] = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="instead, write the votes as a table: .parquet, or .csv as 'audit --human' reads",
        ),
    ] = None,
    from_csv: Annotated[
        str | None,
        typer.Option(
            "--import", metavar="FILE", help="instead, take in preferences that were given elsewhere"
        ),
    ] = None,
    invitation: InvitationOptions,
) -> None:
    """Say how far people agree with the metrics: the votes of the dashboard's blind listening test.

    Once anybody is invited, only those who have a link can vote.
    """
    from pipeline.cli.commands import listening as commands  # noqa: PLC0415
    from pipeline.listening.invitations import ListeningPlan  # noqa: PLC0415

    opened = open_workspace(workspace, "")
    if invitation.invited:
        plan = ListeningPlan(training=invitation.training, reference_every=invitation.reference_every)
        commands.invite_command(opened, invitation.invited, plan, invitation.address)
    elif from_csv is not None:
        commands.import_command(opened, expand_home(from_csv))
    elif out is not None:
        commands.votes_command(opened, expand_home(out), careful=careful)
    else:
        commands.listening_command(opened, as_json=as_json, careful=careful)
