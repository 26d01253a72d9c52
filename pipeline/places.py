"""YAML with a memory: safe loading, no duplicate keys, and the line and column of every value."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from schemas import ConfigError

Location = tuple[str | int, ...]


class Document:
    """The contents of a YAML file, and where in the file each of them stands."""

    def __init__(self, path: Path, data: Any, places: Mapping[Location, tuple[int, int]]) -> None:
        self.path = path
        self.data = data
        self._places = places
        self.overridden: dict[Location, str] = {}

    def place(self, location: Location) -> str:
        """Return ``file:line:column`` of the closest part of ``location`` that is in the file."""
        known = [part for part in self._prefixes(location) if part in self._places or part in self.overridden]
        if known and known[-1] in self.overridden:
            return f"--set {self.overridden[known[-1]]}"
        line, column = self._places.get(known[-1], (1, 1)) if known else (1, 1)
        return f"{self.path}:{line}:{column}"

    def _prefixes(self, location: Location) -> list[Location]:
        """Return the prefixes of ``location``, without the parts that only a validator knows of."""
        found: list[Location] = [()]
        for part in location:
            longer = (*found[-1], part)
            if longer in self._places or longer in self.overridden:
                found.append(longer)
        return found


def load(path: Path) -> Document:
    """Return the document in ``path``.

    Raises ``ConfigError`` with the place for anything that is not plain YAML with unique keys.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        places: dict[Location, tuple[int, int]] = {}
        if node is not None:
            _note(node, (), places, path)
        return Document(path, yaml.safe_load(text), places)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: {error.problem}") from error


def _note(node: yaml.Node, location: Location, places: dict[Location, tuple[int, int]], path: Path) -> None:
    places.setdefault(location, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note(item, (*location, index), places, path)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line, column = key.start_mark.line + 1, key.start_mark.column + 1
            below = (*location, key.value)
            if below in places:
                raise ConfigError(f"{path}:{line}:{column}: the key {key.value!r} is given twice")
            places[below] = (line, column)
            _note(value, below, places, path)


def override(document: Document, assignment: str) -> None:
    """Set one value as ``--set a.b=value`` says; list items go by number, the value is read as YAML.

    Raises ``ConfigError`` when the path leads nowhere.
    """
    dotted, equals, text = assignment.partition("=")
    if not equals or not dotted:
        raise ConfigError(f"--set {assignment}: expected name.of.setting=value")
    location: Location = tuple(int(p) if p.isdigit() else p for p in dotted.split("."))
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {assignment}: the value is not YAML: {text!r}") from error
    inner = document.data
    for part in location[:-1]:
        inner = _step_into(inner, part, assignment)
    _assign(inner, location[-1], value, assignment)
    document.overridden[location] = assignment


def _step_into(inner: Any, part: str | int, assignment: str) -> Any:
    if isinstance(inner, dict):
        return inner.setdefault(part, {})
    if isinstance(inner, list) and isinstance(part, int) and part < len(inner):
        return inner[part]
    raise ConfigError(f"--set {assignment}: there is no {part!r} to set something in")


def _assign(inner: Any, part: str | int, value: Any, assignment: str) -> None:
    if isinstance(inner, list) and isinstance(part, int) and part <= len(inner):
        inner[part : part + 1] = [value]
    elif isinstance(inner, dict):
        inner[part] = value
    else:
        raise ConfigError(f"--set {assignment}: there is no {part!r} to set")
