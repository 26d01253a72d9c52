"""Files that a config names, operators of the user's own among them: where they are, if they are."""

import linecache
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.document import Location
from pipeline.config.problems import Problems
from pipeline.config.schema import PoolFiles, PoolPart, PoolSynthesis
from pipeline.sources.corpora import Corpus
from pipeline.sources.folders import WILDCARDS
from pipeline.sources.object_audio import split_recording_url
from pipeline.sources.saved_datasets import audio_columns_in, choose_audio_column, is_saved_dataset
from pipeline.store.files import expand_home
from schemas import ConfigError, UserError, fingerprint_of
from stages.operators.user_modules import PREFIX, OperatorModule, install_modules

_WILDCARDS = "*?["


def module_in(path: Path) -> OperatorModule:
    """Return the module in ``path``, known by its contents. Raises ``UserError`` if there is no such file."""
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    source = path.read_text(encoding="utf-8")
    # where the docstrings of fields are looked up: a module of the user's is known by its file's name
    linecache.cache[path.name] = (len(source), None, source.splitlines(keepends=True), path.name)
    return OperatorModule(name=f"{PREFIX}{path.stem}_{fingerprint_of(source)}", path=path.name, source=source)


def install_files(files: Iterable[str]) -> None:
    """Register the operators in ``files`` in this process."""
    install_modules([module_in(Path(file)) for file in files])


def locate(base: Path, text: str) -> str:
    """Return a path of a config: relative ones start from the config's folder; a URL stays what it is."""
    if is_url(text):
        return text
    path = expand_home(text)
    return str(path if path.is_absolute() else (base / path).absolute())


def locate_params(base: Path, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operator's parameters with its paths located: those whose names end with ``path``.

    Paths of operators within operators, such as the links of a chain, are among them. Raises ``ValueError``
    for a URL.
    """
    return {name: _locate_value(base, name, value) for name, value in params.items()}


def _locate_value(base: Path, name: str, value: Any) -> Any:
    match value:
        case Mapping():
            return locate_params(base, value)
        case list():
            return [_locate_value(base, name, item) for item in value]
        case str() if name.endswith("path"):
            if is_url(value):
                raise ValueError(f"{name}: {_no_url(value)}")
            return locate(base, value)
    return value


def is_url(text: str) -> bool:
    """Whether ``text`` is a URL rather than a path."""
    return "://" in text


def check_recordings(
    base: Path,
    corpora: Sequence[tuple[Location, Corpus]],
    parts: Sequence[tuple[Location, PoolPart]],
    problems: Problems,
) -> None:
    """Note every folder, file or manifest that is not there."""
    for location, corpus in corpora:
        _check(base, corpus.path, (*location, "path"), problems)
        _check_audio_column(base, corpus, location, problems)
    for location, part in parts:
        match part:
            case PoolFiles():
                _check(base, part.path, (*location, "path"), problems)
                _check_audio_column(base, part, location, problems)
            case PoolSynthesis(voices=str(voices)):
                _check(base, voices, (*location, "voices"), problems)


def _check(base: Path, text: str, location: Location, problems: Problems) -> None:
    if is_url(text):
        with problems.at(location):
            split_recording_url(text)
    elif not WILDCARDS & set(text) and not Path(locate(base, text)).exists():
        problems.add(location, f"there is nothing at {locate(base, text)}")


def _check_audio_column(
    base: Path, recordings: Corpus | PoolFiles, location: Location, problems: Problems
) -> None:
    """Note an audio column that is not there, or not named where there are several.

    A dataset that does not say what it has is left to those who list it.
    """
    if is_url(recordings.path):
        if recordings.audio is not None:
            problems.add(
                (*location, "audio"), "a column of a dataset saved on disk, which is read from a folder"
            )
        return
    folder = Path(locate(base, recordings.path))
    if not (folder.is_dir() and is_saved_dataset(folder)):
        if recordings.audio is not None:
            problems.add((*location, "audio"), f"a column of a dataset saved on disk, and {folder} is none")
        return
    try:
        found = audio_columns_in(folder)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return
    if found or recordings.audio is not None:
        with problems.at((*location, "path" if recordings.audio is None else "audio")):
            choose_audio_column(found, recordings.audio)


def _no_url(text: str) -> str:
    return f"{text!r} is a URL; only local or mounted paths can be read"


def install_listed_modules(
    base: Path, files: Sequence[tuple[Location, str]], problems: Problems
) -> tuple[OperatorModule, ...]:
    """Return the user's own operator modules, executed; those that cannot be are mistakes."""
    found = (_module(base, text, location, problems) for location, text in files)
    return tuple(module for module in found if module is not None)


def _module(base: Path, text: str, location: Location, problems: Problems) -> OperatorModule | None:
    path = Path(locate(base, text))
    if is_url(text) or not path.is_file():
        problems.add(location, _no_url(text) if is_url(text) else f"there is no file {path}")
        return None
    module = module_in(path)
    try:
        install_modules([module])
    except ConfigError as error:
        problems.add(location, f"{path}:{_line(error, module.path)}: {error}")
        return None
    return module


def _line(error: ConfigError, path: str) -> int:
    """Return the line of the module at which it broke."""
    cause = error.__cause__
    if isinstance(cause, SyntaxError):
        return cause.lineno or 1
    frames = traceback.extract_tb(cause.__traceback__) if cause else []
    return next((f.lineno or 1 for f in reversed(frames) if f.filename == path), 1)
