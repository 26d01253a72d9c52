"""``score``: the panel over files that are there already."""

import statistics
from collections import Counter
from collections.abc import Iterator

from pipeline.cli.commands.run import EXECUTORS
from pipeline.config.panel import ResolvedPanel
from pipeline.execution.executor import Executor
from pipeline.execution.interrupts import exit_on_stop
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.score import GivenPaths, ScoreResult, score_given_files
from pipeline.progress.view import View
from pipeline.store.row_files import require_row_file
from pipeline.store.workspace import Workspace
from pipeline.tables.given import GivenGraph
from pipeline.text import align_columns, count, format_clock, say
from schemas import UserError


def score_command(
    panel: ResolvedPanel, given: GivenPaths, workspace: Workspace, executor: str, workers: int | None
) -> None:
    """Score, write the file, and print means and reasons."""
    if executor not in EXECUTORS:
        raise UserError(f"there is no executor {executor!r}; choose one of: {', '.join(EXECUTORS)}")
    require_row_file(given.out, "--out")
    with exit_on_stop() as interruption:

        def make(panel: ResolvedPanel, workspace: Workspace, graph: GivenGraph, shown: View) -> Executor:
            if executor == "local":
                return LocalExecutor(Worker(workspace, check_stop=interruption.check_stop))
            from pipeline.execution.ray import RayExecutor  # noqa: PLC0415 - a local run needs no Ray

            return RayExecutor(
                panel, graph, workspace, workers, shown.say, check_stop=interruption.check_stop
            )

        result = score_given_files(panel, given, workspace, make)
    for line in score_lines(result):
        say(line)
    done = (
        f"{result.computed} tickets in {format_clock(result.wall_s)}" if result.computed else "nothing left"
    )
    say(f"\nscores: {given.out}\ndone: {done}")


def score_lines(result: ScoreResult) -> Iterator[str]:
    """Yield the means of each model, and why scores are missing."""
    models = list(dict.fromkeys(row["model"] for row in result.rows))
    lines = [("mean", *models)]
    for score in result.scores:
        cells = []
        for model in models:
            values = [row[score] for row in result.rows if row["model"] == model and row[score] is not None]
            cells.append(f"{statistics.fmean(values):.4g}" if values else "")
        lines.append((score, *cells))
    lines.append(("files", *(str(sum(row["model"] == model for row in result.rows)) for model in models)))
    yield from align_columns(lines)
    refused = Counter(row["reason"] for row in result.rows if row["reason"] is not None)
    for reason, number in refused.most_common():
        yield f"{count(number, 'file')} not scored: {reason}"
    missing = Counter(
        (each["score"], each["reason"])
        for row in result.rows
        if row["reason"] is None
        for each in row["missing_scores"]
    )
    for (score, reason), number in missing.most_common():
        yield f"{score}: {count(number, 'file')} without, {reason}"
