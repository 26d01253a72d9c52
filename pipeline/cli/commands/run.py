"""``run``: bring a workspace to where a config wants it, and say what came out."""

import shlex
import sys

from pipeline.cli.commands.executors import require_executor
from pipeline.config.resolve import ResolvedConfig
from pipeline.dataset.card import lines_for
from pipeline.execution.executor import Executor
from pipeline.execution.interrupts import exit_on_stop
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import RunResult, execute
from pipeline.progress.funnel import funnel_lines
from pipeline.progress.view import View
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph
from pipeline.text import format_clock
from schemas import Reason, UserError


def run_command(
    run: ResolvedConfig, workspace: Workspace, executor: str, workers: int | None, retry_failed: str | None
) -> None:
    """Run, and print header and outcome."""
    require_executor(executor)
    if retry_failed is not None and retry_failed not in (known := ("any", *Reason)):
        raise UserError(f"rows do not fail for {retry_failed!r}; choose one of: {', '.join(known)}")
    if retry_failed == Reason.NO_VALUE_UPSTREAM:
        raise UserError(
            f"rows with {retry_failed!r} are made again with what they are made from: name the reason "
            "for which that has no value; 'status --rows' says it"
        )
    _say(format_header(run, workspace))

    with exit_on_stop() as interruption:

        def make(run: ResolvedConfig, workspace: Workspace, graph: Graph, shown: View) -> Executor:
            if executor == "local":
                return LocalExecutor(Worker(workspace, check_stop=interruption.check_stop))
            from pipeline.execution.ray import RayExecutor  # noqa: PLC0415 - a local run needs no Ray

            return RayExecutor(run, graph, workspace, workers, shown.say, check_stop=interruption.check_stop)

        result = execute(run, workspace, make, retry_failed)
    _say(format_outcome(run, result))


def format_header(run: ResolvedConfig, workspace: Workspace) -> str:
    """Return what a run says of itself before it begins."""
    config = run.config
    lines = [f"{config.name} ({run.config_hash}) in {workspace}"]
    if config.description:
        lines.append(config.description)
    lines += [f"  {part}: {stand_in}" for part, stand_in in config.substitutes.items()]
    lines += [f"  {part}: {stand_in}" for part, stand_in in config.stand_ins.items()]
    return "\n".join(lines)


def format_outcome(run: ResolvedConfig, result: RunResult) -> str:
    """Return what a run says of itself in the end: funnel, dataset, how to load it, time."""
    exported = result.exported
    lines = ["", *funnel_lines(exported.funnel), ""]
    if run.config.substitutes:
        lines += ["made with these in place of the published parts:"]
        lines += [f"  {part}: {stand_in}" for part, stand_in in run.config.substitutes.items()]
        lines.append("")
    if run.config.stand_ins:
        lines += ["made without the weights of:"]
        lines += [f"  {part}: {stand_in}" for part, stand_in in run.config.stand_ins.items()]
        lines.append("")
    done = (
        f"{result.computed} tickets in {format_clock(result.wall_s)}"
        if result.computed
        else "nothing was left to do"
    )
    lines += [
        f"dataset: {result.dataset}",
        f"report: {result.report}",
        f"done: {done}",
        "",
    ]
    if not any(exported.rows.values()):
        refused = f"python -m pipeline status {shlex.quote(result.workspace)} --rows"
        return "\n".join(
            [*lines, f"the dataset has no pairs; above is where they went, and `{refused}` says more"]
        )
    lines += ["load it with:", ""]
    lines += [f"    {line}".rstrip() for line in lines_for(result.dataset, exported.rows).splitlines()]
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
