"""``doctor``: could a run start here, and if not, what is lacking. Touches no network, writes nothing."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.config import PoolFiles, PoolPart, PoolRooms
from pipeline.machine import gpus, machine_facts
from pipeline.packages import Finding, embedded_models, packages
from pipeline.published import PUBLISHED
from pipeline.resolve import MetricSetup, RestorerSetup, Run, resolve
from pipeline.sources import Corpus, num_recordings
from pipeline.wording import aligned, count, say, size
from schemas import ConfigError, RunError, UserError
from stages.metrics.base import Metric
from stages.operator import Operator
from stages.restorers.base import Restorer

NOTE = " " * 9


def doctor_command(
    path: Path | None, assignments: Sequence[str] = (), replacements: Mapping[str, str] | None = None
) -> None:
    """Print what is there and what is lacking.

    Raises ``UserError`` if a run could not start.
    """
    lacking = _show(
        "machine", [Finding(name, value, is_there=True) for name, value in machine_facts(Path.cwd())]
    )
    lacking += _show("packages", list(packages()))
    lacking += _show("models inside packages", list(embedded_models()))
    if path is not None:
        lacking += _config(path, assignments, replacements or {})
    what = "a run" if path is None else f"a run of {path}"
    if lacking:
        raise UserError(f"{what} could not start here: {count(lacking, 'thing')} lacking")
    say(f"{what} could start here")


def _config(path: Path, assignments: Sequence[str], replacements: Mapping[str, str]) -> int:
    try:
        run = resolve(path, assignments, replacements)
    except ConfigError as error:
        say(str(path))
        for line in mistake_lines(str(error)):
            say(line)
        say("")
        return len(str(error).splitlines())
    lacking = _show("operators", list(operators(run)))
    return lacking + _show("recordings", list(recordings(run)))


def mistake_lines(text: str) -> Iterator[str]:
    """Yield what is wrong with a config, and what is known of parts that this version does not have."""
    for line in text.splitlines():
        yield f"  LACKS  {line}"
        for kind, part in PUBLISHED.items():
            if f" is called {kind!r};" in line:
                known = f"{kind}: {part}. This version has no operator for it; one of your own does as well: "
                yield from textwrap.wrap(
                    f"{known}a file that 'operators:' names.",
                    100,
                    initial_indent=NOTE,
                    subsequent_indent=NOTE,
                )


def operators(run: Run) -> Iterator[Finding]:
    """Yield every restorer and metric of a run, those with weights loaded once to see that they are there."""
    found = gpus()
    setups: Sequence[RestorerSetup | MetricSetup] = (*run.restorers, *run.metrics)
    for setup in setups:
        operator = setup.restorer if isinstance(setup, RestorerSetup) else setup.metric
        yield _operator(setup.name, operator)
        if setup.gpus and not found:
            yield Finding(setup.name, "needs a GPU, and none was found here", is_there=False)


def _operator(name: str, operator: Restorer | Metric) -> Finding:
    said = f"licence {operator.licence}; weights: {operator.weights}{_size(operator)}"
    if operator.weights == Operator.weights:
        return Finding(name, said, is_there=True)
    try:
        operator.load("cpu")
    except (RunError, UserError, ImportError, OSError) as error:
        return Finding(name, f"{said}: {error}", is_there=False)
    return Finding(name, f"{said}: there", is_there=True)


def _size(operator: Operator) -> str:
    paths = [value for _, value in operator if isinstance(value, Path) and value.is_file()]
    return "".join(f", {path}, {size(path.stat().st_size)}" for path in paths)


def recordings(run: Run) -> Iterator[Finding]:
    """Yield what the corpora and pools of a run hold, listed and not read."""
    for corpus in run.config.speech:
        located = corpus.model_copy(update={"path": run.path(corpus.path)})
        yield _listed(f"speech {corpus.name}", located)
    for pool, parts in run.config.pools.items():
        for part in parts:
            yield _part(run, pool, part)


def _part(run: Run, pool: str, part: PoolPart) -> Finding:
    if isinstance(part, PoolFiles):
        return _listed(f"pool {pool}", Corpus(name=pool, path=run.path(part.path)))
    if isinstance(part, PoolRooms):
        return Finding(f"pool {pool}", f"{count(part.rooms, 'room')} to simulate", is_there=True)
    number = len(part.synthesise) * part.count
    return Finding(f"pool {pool}", f"{count(number, 'recording')} to synthesise", is_there=True)


def _listed(name: str, corpus: Corpus) -> Finding:
    try:
        number = num_recordings(corpus)
    except ConfigError as error:
        return Finding(name, str(error), is_there=False)
    return Finding(name, f"{count(number, 'recording')} in {corpus.path}", is_there=True)


def _show(title: str, findings: Sequence[Finding]) -> int:
    """Print findings under a title and return how many are lacking."""
    say(title)
    rows = [("ok" if f.is_there else "LACKS", f.name, f.detail) for f in findings]
    for line in aligned(rows, left=3):
        say(f"  {line}")
    say("")
    return sum(not finding.is_there for finding in findings)
