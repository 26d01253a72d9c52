"""Commands that make or change what is in a workspace."""

from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.options import (
    ConfigArgument,
    NoiseOption,
    ResponsesOption,
    SetOption,
    SpeechOption,
    WorkspaceOption,
    begun_in,
    config_path,
    replacements_from,
    resolve_run,
    workspace_of,
)
from pipeline.config.resolve import operators_to_fetch_for, resolve
from pipeline.config.stand_ins import read_stand_ins
from pipeline.store.workspaces import open_workspace
from schemas import ConfigError


@app.command(
    epilog=format_examples(
        "run demo",
        "run demo --speech ~/recordings --set restorers.1.takes=5",
        "run my.yaml --workspace /data/my --workers 8",
        "run my.yaml --retry-failed timed_out",
    )
)
def run(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    executor: Annotated[
        str, typer.Option(help="ray: all cores, or a cluster; local: this process alone; the same bytes")
    ] = "ray",
    workers: Annotated[
        int | None, typer.Option(min=1, help="worker processes", show_default="one per core")
    ] = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
    retry_failed: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="first remove shards with failed rows: 'any', or rows of a reason such as timed_out",
        ),
    ] = None,
    fetch: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--fetch", help="first fetch weights that are missing, under their licences, which are shown"
        ),
    ] = False,
) -> None:
    """Run CONFIG to a finished dataset, or go on with what an earlier run has left.

    Nothing is downloaded unless --fetch says so, and then before the run begins. Where the config names
    stand-ins for weights that are not here, they are said, and the run keeps them to its end.

    Exit codes: 0 done; 1 the run failed; 2 a mistake in config or command;
    3 more rows or takes failed than the failure budget allows; 130, 143 or 129 stopped by Ctrl-C, SIGTERM or
    a terminal that was closed.
    """
    from pipeline.cli.commands.run import run_command  # noqa: PLC0415 - each command loads what it needs

    if fetch:
        from pipeline.cli.commands.weights import fetch_before_run  # noqa: PLC0415

        given = replacements_from(speech, noise, responses)
        where = begun_in(workspace)
        fetch_before_run(operators_to_fetch_for(config_path(config), assignments or (), given, where))
    resolved = resolve_run(config, assignments, speech, noise, responses, workspace)
    run_command(resolved, workspace_of(workspace, resolved), executor, workers, retry_failed)


@app.command(epilog=format_examples("plan demo --pairs 80000", "plan my.yaml --speech ~/recordings"))
def plan(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
    pairs: Annotated[
        int | None, typer.Option(min=1, help="say how many degraded versions this many pairs need")
    ] = None,
) -> None:
    """Say what a run would do, before anything runs: hours, shards, tickets, time, bytes, what is done.

    Writes nothing. Times, and pairs per degraded version, are measured ones where the workspace has any, and
    rough ones elsewhere.
    """
    from pipeline.cli.commands.plan import explain_lack, plan_command  # noqa: PLC0415

    try:
        resolved = resolve_run(config, assignments, speech, noise, responses, workspace)
    except ConfigError:
        explain_lack(config_path(config), assignments or ())
        raise
    plan_command(resolved, workspace_of(workspace, resolved), pairs)


@app.command(
    epilog=format_examples(
        "decide demo --set preference.pairs.keep=best",
        "decide my.yaml --set preference.criteria.1.margin=0.2 --workspace runs/my",
    )
)
def decide(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Decide anew on the scores of an existing run, in seconds: other criteria, margins, vetoes, pair rules.

    Scores nothing and leaves the dataset as it is: 'export' with the same config and options writes it, with
    its audit and its report.
    """
    from pipeline.cli.commands.decide import decide_command  # noqa: PLC0415

    resolved = resolve_run(config, assignments, speech, noise, responses, workspace)
    decide_command(resolved, workspace_of(workspace, resolved))


@app.command(epilog=format_examples("status runs/demo", "status runs/demo --rows > refused.tsv"))
def status(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    rows: Annotated[  # noqa: FBT002
        bool, typer.Option("--rows", help="instead, name each recording and row that is unfit or failed")
    ] = False,
) -> None:
    """Say how far a workspace is, also while another process fills it: shards, rows, failures, time left.

    Takes no lock and writes nothing.
    """
    from pipeline.cli.commands.status import status_command  # noqa: PLC0415

    status_command(open_workspace(workspace, ""), rows=rows)


@app.command(
    epilog=format_examples(
        "prune runs/demo --config demo --dry-run", "prune runs/x --config a.yaml --config b.yaml"
    )
)
def prune(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    configs: Annotated[list[str], typer.Option("--config", help="config whose tables stay; repeatable")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,  # noqa: FBT002
) -> None:
    """Remove tables and shards that none of the given configs reaches.

    Configs count as their files say it now: what was made with --set or --speech is not reached.
    """
    from pipeline.cli.commands.prune import prune_command  # noqa: PLC0415

    opened = open_workspace(workspace, "")
    began = read_stand_ins(opened.stand_ins)
    runs = [resolve(config_path(config), begun=lambda _: began) for config in configs]
    prune_command(opened, runs, dry_run=dry_run)
