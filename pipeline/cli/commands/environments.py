"""``environments``: where published models run, made, checked, listed, removed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.config.nested_operators import with_nested
from pipeline.config.resolve import operators_in
from pipeline.environments.check import check_environment
from pipeline.environments.lock import read_lock
from pipeline.environments.make import make_environment, remove_environment, state_of_environment
from pipeline.store.files import expand_home
from pipeline.text import align_columns, count, format_bytes, say
from schemas import ConfigError, MissingWeightsError, RunError
from stages.operators.operator import Operator
from stages.restorers import RESTORERS
from stages.restorers.common.worker import PublishedWorker


def environments_make_command(
    configs: Sequence[Path], kinds: Sequence[str], only: Sequence[str], code: str | None, *, cpu: bool
) -> None:
    """Make the environments of models as far as they are not there; go on after one that fails.

    Raises ``RunError`` that says at the end which failed, and why.
    """
    clones = None if code is None else expand_home(code)
    failed: dict[str, str] = {}
    for model in _models(configs, kinds, only):
        try:
            made = make_environment(read_lock(model), model.environment_folder, say, cpu=cpu, code=clones)
        except (RunError, MissingWeightsError) as error:
            failed[model.kind] = str(error)
            say(f"{model.kind}: {error}")
        else:
            say(f"{model.kind}: {'made' if made else 'there already'}, in {model.environment_folder}")
    _raise_failures(failed, "could not be made")


def environments_check_command(configs: Sequence[Path], kinds: Sequence[str], only: Sequence[str]) -> None:
    """Say of each model whether it runs in its environment. Raises ``RunError`` if one does not."""
    failed: dict[str, str] = {}
    for model in _models(configs, kinds, only):
        try:
            say(check_environment(model))
        except (RunError, MissingWeightsError, ConfigError) as error:
            failed[model.kind] = str(error)
            say(f"{model.kind}: {error}")
    _raise_failures(failed, "did not pass")


def environments_list_command() -> None:
    """Print one line for each model that has an environment."""
    rows = [("model", "environment", "Python", "size", "code", "folder")]
    for model in _all_models():
        lock, folder = read_lock(model), model.environment_folder
        state = state_of_environment(lock, folder)
        size = format_bytes(_size_of(folder)) if folder.is_dir() else "-"
        where = lock.repository or ", ".join(lock.packages)
        at = f"{where} at {lock.commit[:7]}" if lock.commit else where
        rows.append((model.kind, state, lock.python, size, at, str(folder)))
    for line in align_columns(rows, left=6):
        say(line)


def environments_remove_command(configs: Sequence[Path], kinds: Sequence[str], only: Sequence[str]) -> None:
    """Remove the environments of models. Raises ``RunError`` for a folder that is none."""
    for model in _models(configs, kinds, only):
        if model.environment_folder.is_dir():
            remove_environment(model.environment_folder)
            say(f"{model.kind}: {model.environment_folder} is removed")


def _models(configs: Sequence[Path], kinds: Sequence[str], only: Sequence[str]) -> Sequence[PublishedWorker]:
    """Return the models of configs and those of kinds, each once; raises ``ConfigError`` for another name."""
    found = {model.kind: model for path in configs for model in _published_in(operators_in(path))}
    known = {model.kind: model for model in _all_models()}
    for kind in (*kinds, *only):
        if kind not in known:
            raise ConfigError(
                f"there is no config and no model with an environment {kind!r}; there are {', '.join(known)}"
            )
    found |= {kind: known[kind] for kind in kinds}
    chosen = {kind: found[kind] for kind in only if kind in found} if only else found
    if not chosen:
        say("no model here has an environment of its own")
    return tuple(chosen.values())


def _published_in(operators: Iterable[Operator]) -> Iterator[PublishedWorker]:
    for operator in operators:
        yield from (each for each in with_nested(operator) if isinstance(each, PublishedWorker))


def _all_models() -> Iterator[PublishedWorker]:
    for _, member in sorted(RESTORERS.items()):
        if issubclass(member, PublishedWorker):
            yield member()


def _size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink() and path.is_file())


def _raise_failures(failed: dict[str, str], what: str) -> None:
    if failed:
        lines = "\n".join(f"  {kind}: {why}" for kind, why in failed.items())
        raise RunError(f"{count(len(failed), 'environment')} {what}:\n{lines}")
