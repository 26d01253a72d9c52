"""YAML with a memory: safe loading, no duplicate keys, and the line and column of every value."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from schemas import ConfigError

Location = tuple[str | int, ...]
Positions = dict[Location, tuple[int, int]]


class Document:
    """The contents of a YAML file, and where in the file each of them stands."""

    def __init__(self, path: Path, data: Any, positions: Mapping[Location, tuple[int, int]]) -> None:
        self.path = path
        self.data = data
        self._positions = dict(positions)
        self._options: dict[Location, str] = {}
        self._included: dict[Location, tuple[Document, Location]] = {}
        self.refused: dict[Location, str] = {}
        """What could not be included, and why."""

    def set_by_option(self, location: Location, option: str) -> None:
        """Remember that what stands at ``location``, and in it, comes from an option of the command line."""
        self._forget(location)
        self._options[location] = option

    def set_by_include(self, location: Location, other: "Document", origin: Location) -> None:
        """Remember that what stands at ``location`` is what stands at ``origin`` in another file."""
        self._included[location] = other, origin

    def set_by_move(self, location: Location, before: "Document", origin: Location) -> None:
        """Remember that what stands at ``location``, and in it, stood at ``origin`` in this file before."""
        self._forget(location)
        self._included[location] = before, origin

    def _forget(self, location: Location) -> None:
        known: dict[Location, Any]
        for known in (self._positions, self._options, self._included, self.refused):
            for inside in [place for place in known if place[: len(location)] == location]:
                known.pop(inside)

    def position(self, location: Location) -> str:
        """Return ``file:line:column``, or the option, of the closest part of ``location`` that was given."""
        for length in range(len(location), -1, -1):
            part = location[:length]
            if part in self._options:
                return self._options[part]
            if part in self._included:
                other, origin = self._included[part]
                return other.position((*origin, *location[length:]))
            if part in self._positions:
                line, column = self._positions[part]
                return f"{self.path}:{line}:{column}"
        return f"{self.path}:1:1"


def load_document(path: Path) -> Document:
    """Return the document in ``path``.

    Raises ``ConfigError`` with the place for anything that is not plain YAML with unique keys.
    """
    try:
        text = path.read_text(encoding="utf-8")
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        positions: Positions = {}
        if node is None:
            return Document(path, None, positions)
        _Notes(path, positions).take(node, (), ())
        return Document(path, loader.construct_document(node), positions)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        context = f"{error.context}, " if str(error.problem).startswith("but ") else ""
        raise ConfigError(f"{path}{where}: {context}{error.problem}") from error
    except yaml.YAMLError as error:  # characters that YAML does not allow have a position, but no mark
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: lists or mappings are nested too deeply") from error


class _Notes:
    """Where everything stands in a file."""

    def __init__(self, path: Path, positions: Positions) -> None:
        self._path = path
        self._positions = positions

    def take(self, node: yaml.Node, location: Location, around: tuple[yaml.Node, ...]) -> None:
        """Note where ``node`` and all that it holds stand."""
        if any(node is outer for outer in around):
            raise self._error(node, "this alias stands for something that it is a part of")
        self._positions.setdefault(location, _start(node))
        inside = (*around, node)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.take(item, (*location, index), inside)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self.take(value, self._below(location, key), inside)

    def _below(self, location: Location, key: yaml.Node) -> Location:
        if not isinstance(key, yaml.ScalarNode):
            raise self._error(key, "a key is a word, not a list or a mapping")
        below = (*location, key.value)
        if below in self._positions:
            raise self._error(key, f"the key {key.value!r} is given twice")
        self._positions[below] = _start(key)
        return below

    def _error(self, node: yaml.Node, message: str) -> ConfigError:
        line, column = _start(node)
        return ConfigError(f"{self._path}:{line}:{column}: {message}")


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def override(document: Document, assignment: str) -> None:
    """Set one value as ``--set a.b=value`` says; list items go by number, the value is read as YAML.

    Raises ``ConfigError`` when the path leads nowhere.
    """
    option = f"--set {assignment}"
    dotted, equals, text = assignment.partition("=")
    parts = dotted.split(".")
    if not equals or not all(parts):
        raise ConfigError(f"{option}: expected name.of.setting=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{option}: the value is not YAML: {text!r}") from error
    inner: Any = document.data
    location: Location = ()
    for part in parts[:-1]:
        key = _key(document, inner, (location, part), option)
        location = (*location, key)
        if isinstance(inner, dict) and key not in inner:
            inner[key] = {}
            document.set_by_option(location, option)
        inner = inner[key]
    last = _key(document, inner, (location, parts[-1]), option, room=1)
    if isinstance(last, int):
        inner[last : last + 1] = [value]
    else:
        inner[last] = value
    document.set_by_option((*location, last), option)


def _key(
    document: Document, inner: Any, where: tuple[Location, str], option: str, room: int = 0
) -> str | int:
    """Return the key or number that a part of a path stands for; ``room`` is for how many more in a list."""
    location, part = where
    if isinstance(inner, dict):
        return part
    if isinstance(inner, list) and part.isdecimal() and int(part) < len(inner) + room:
        return int(part)
    place = ".".join(map(str, location)) or str(document.path)
    held = f"a list of {len(inner)}" if isinstance(inner, list) else repr(inner)
    raise ConfigError(f"{option}: {place} is {held}, so there is no {part!r} in it")
