"""``annotate``: real recordings beside the restored takes that every vote prefers."""

from collections.abc import Iterator

from pipeline.cli.commands.executors import make_graph_executor, require_executor
from pipeline.config.annotation import ResolvedAnnotation
from pipeline.dataset.annotation_card import VERDICT_MEANINGS
from pipeline.execution.interrupts import exit_on_stop
from pipeline.operations.annotate import AnnotationResult, RealRecordings, annotate_recordings
from pipeline.store.workspace import Workspace
from pipeline.text import align_columns, count, format_clock, say
from stages.prefer.annotation import Verdict

_SHOWN = 10
"""Recordings that are named; ``candidates`` names all."""


def annotate_command(
    run: ResolvedAnnotation, given: RealRecordings, workspace: Workspace, executor: str, workers: int | None
) -> None:
    """Annotate, and print how many of the recordings were, and why the others were not."""
    require_executor(executor)
    with exit_on_stop() as interruption:
        make = make_graph_executor(run, workspace, (executor, workers), interruption)
        result = annotate_recordings(run, given, workspace, make)
    for line in annotation_lines(result):
        say(line)
    wall = format_clock(result.wall_s)
    done = f"{result.computed} tickets in {wall}" if result.computed else "nothing left to compute"
    say(f"\nannotations: {given.out}\ndone: {done}")


def annotation_lines(result: AnnotationResult) -> Iterator[str]:
    """Yield what became of the recordings, which were left out and why, and the means of both sides."""
    said = result.written.description
    rows = [("", "stretches", "")]
    for verdict, number in said.verdicts.items():
        rows.append((verdict, f"{number:,}", VERDICT_MEANINGS.get(verdict, "the recording was refused")))
    width = max(len(verdict) for verdict, _, _ in rows)
    yield from (f"{a:<{width}}  {b:>9}  {c}".rstrip() for a, b, c in rows)
    left_out = [each for each in result.written.verdicts if each.verdict != Verdict.CHOSEN]
    for each in left_out[:_SHOWN]:
        yield f"  {each.id}: {each.verdict}{f', {each.detail}' if each.detail else ''}"
    if len(left_out) > _SHOWN:
        yield f"  … and {count(len(left_out) - _SHOWN, 'other')}, in the table 'candidates'"
    if said.gains:
        lines = [("mean of annotations", "degraded", "pseudo-clean")]
        lines += [(gain.name, f"{gain.degraded:.4g}", f"{gain.pseudo_clean:.4g}") for gain in said.gains]
        yield ""
        yield from align_columns(lines)
    yield f"\n{count(said.annotated, 'annotation')} of {count(said.recordings, 'recording')}"
