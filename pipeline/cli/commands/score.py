"""``score``: the panel over files that are there already."""

import statistics
from collections import Counter
from collections.abc import Iterator

from pipeline.cli.commands.executors import make_graph_executor, require_executor
from pipeline.config.panel import ResolvedPanel
from pipeline.execution.interrupts import exit_on_stop
from pipeline.operations.score import GivenPaths, ScoreResult, score_given_files
from pipeline.store.row_files import require_row_file
from pipeline.store.workspace import Workspace
from pipeline.text import align_columns, count, format_clock, say


def score_command(
    panel: ResolvedPanel, given: GivenPaths, workspace: Workspace, executor: str, workers: int | None
) -> None:
    """Score, write the file, and print means and reasons."""
    require_executor(executor)
    require_row_file(given.out, "--out")
    with exit_on_stop() as interruption:
        make = make_graph_executor(panel, workspace, (executor, workers), interruption)
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
