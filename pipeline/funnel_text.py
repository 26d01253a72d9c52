"""The funnel as text."""

from collections.abc import Iterator

from pipeline.funnel import Funnel

MEANING = {
    "sources": "recordings listed",
    "utterances": "usable utterances",
    "degraded": "degraded versions",
    "candidates": "restorations",
    "scored": "with every vote",
    "compared": "comparisons",
    "unanimous": "all criteria agree",
    "pairs": "kept in the dataset",
}


def funnel_lines(funnel: Funnel) -> Iterator[str]:
    """Walk the lines of the table: step, count, meaning, and what fell out there and why."""
    for step in funnel.steps:
        lost = "; ".join(f"{number} {reason}" for reason, number in step.lost.items())
        line = f"{step.name:<11}{step.count:>8}  {MEANING[step.name]:<20}"
        yield f"{line}  − {lost}" if lost else line.rstrip()
