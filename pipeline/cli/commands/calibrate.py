"""``calibrate``: margins to paste into a config, from how far scores move when nothing audible changes."""

import sys
from collections.abc import Iterator, Mapping, Sequence

from pipeline.config.resolve import ResolvedConfig
from pipeline.execution.interrupts import exit_on_stop
from pipeline.execution.log_file import log_to
from pipeline.execution.worker import Worker
from pipeline.operations.calibrate import QUANTILE, Movement, measure_movements
from pipeline.store.workspace import Workspace
from pipeline.text import align_columns, count, say
from stages.calibration.perturbations import INAUDIBLE
from stages.operators.metric import Output


def calibrate_command(run: ResolvedConfig, workspace: Workspace, num_utterances: int) -> None:
    """Measure, and print YAML; progress goes to the other stream, so that the output can be a file."""
    with exit_on_stop() as interruption, log_to(workspace.log):
        worker = Worker(workspace, check_stop=interruption.check_stop)
        found = measure_movements(run, workspace, num_utterances, worker, _tell)
    for line in margin_lines(run, found, num_utterances):
        say(line)


def margin_lines(run: ResolvedConfig, found: Mapping[str, Movement], num_utterances: int) -> Iterator[str]:
    """Yield criteria with proposed margins, and in comments what was measured."""
    outputs = run.outputs()
    sample = count(num_utterances, "utterance")
    yield f"# {run.config.name}: how far scores move, on up to {sample}, when nothing audible changes:"
    yield "# a gain of -0.5 dB, rounding to 16 bits, a shift by 5 ms, another resampler."
    yield f"# {QUANTILE:.0%} of recordings stay under each figure; a margin is the largest of a score's four."
    yield "# A run takes delay back before it scores: where 5 ms stands out, a smaller margin may do."
    for line in align_columns([("score", *INAUDIBLE, "declared"), *_rows(found, outputs)]):
        yield f"#   {line}"
    voting = [criterion.metric for criterion in run.criteria]
    yield "preference:"
    yield "  criteria:"
    yield from _entries([name for name in voting if found[name].margin is not None], found, "    ")
    others = [name for name in found if name not in voting and found[name].margin is not None]
    if others:
        yield "# scores that are no criteria of this config:"
        yield from _entries(others, found, "#   ")
    yield from _missing_lines(found)


def _rows(found: Mapping[str, Movement], outputs: Mapping[str, Output]) -> Iterator[tuple[str, ...]]:
    for name, movement in found.items():
        cells = (movement.quantile(change) for change in INAUDIBLE)
        figures = ("" if value is None else _figure(value) for value in cells)
        yield (name, *figures, _figure(outputs[name].noise_floor))


def _entries(names: Sequence[str], found: Mapping[str, Movement], indent: str) -> Iterator[str]:
    for name in names:
        margin = _figure(found[name].margin or 0.0)
        scale = "" if float(margin) == 0 else f", scale: {margin}"  # a unit of nothing measures nothing
        yield f"{indent}- {{metric: {name}, margin: {margin}{scale}}}"


def _missing_lines(found: Mapping[str, Movement]) -> Iterator[str]:
    for name, movement in found.items():
        if movement.missing:
            reasons = ", ".join(f"{reason} × {number}" for reason, number in movement.missing.most_common())
            what = "could not be measured" if movement.margin is None else "has no value for some recordings"
            yield f"# {name} {what}: {reasons}"


def _figure(value: float) -> str:
    """Return two significant figures, never as ``1e-05``, which YAML takes for text."""
    return f"{float(f'{value:.2g}'):.10f}".rstrip("0").rstrip(".") or "0"


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
