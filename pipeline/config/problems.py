"""Mistakes in a config, collected with their places, so that a user meets all of them at once."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from reprlib import Repr
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from pipeline.config.document import Document, Location
from pipeline.text import count
from schemas import ConfigError, MissingWeightsError, UnknownOperatorError

Schema = Mapping[str, Any]
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 2
_SHORT.maxlist = 4
A_FLAG = "should be a number, got yes or no"


class Problems:
    """Mistakes, each as ``file:line:column: dotted.path: message``."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: list[str] = []
        for location, message in sorted(document.refused.items()):
            self.add(location, message)

    def add(self, location: Location, message: str) -> None:
        """Note a mistake at ``location``."""
        line = f"{self._document.position(location)}: {'.'.join(map(str, location))}: {message}"
        if line not in self.found:
            self.found.append(line)

    @contextmanager
    def at(self, location: Location, model: type[BaseModel] | None = None) -> Iterator[None]:
        """Note the mistake that ends the block, if one does; ``model`` is what is validated in it."""
        try:
            yield
        except ValidationError as error:
            for inner, message in messages_of(error, model.model_json_schema() if model is not None else {}):
                self.add((*location, *inner), message)
        except (ConfigError, UnknownOperatorError, MissingWeightsError, ValueError) as error:
            self.add(location, str(error))

    def add_flags(self, location: Location, given: Any, read: Any) -> None:
        """Note where ``given`` says yes or no and ``read``, what a validator made of it, has a number."""
        for inner in find_flags_read_as_numbers(given, read):
            self.add((*location, *inner), A_FLAG)

    def raise_if_any(self) -> None:
        """Raise ``ConfigError`` with all mistakes, if there are any."""
        if self.found:
            raise ConfigError("\n".join(self.found))


def find_flags_read_as_numbers(given: Any, read: Any) -> Iterator[Location]:
    """Yield the places in ``given`` that say yes or no and that a validator has taken for 1 or 0."""
    if isinstance(given, bool):
        if isinstance(read, int | float) and not isinstance(read, bool):
            yield ()
    elif isinstance(given, Mapping):
        for key, inner in given.items():
            found = read.get(key) if isinstance(read, Mapping) else getattr(read, str(key), None)
            yield from ((key, *place) for place in find_flags_read_as_numbers(inner, found))
    elif isinstance(given, list) and isinstance(read, list | tuple) and len(given) == len(read):
        for index, inner in enumerate(given):
            yield from ((index, *place) for place in find_flags_read_as_numbers(inner, read[index]))


def suggest(name: str, known: Iterable[str]) -> str:
    """Return which of ``known`` a user may have meant, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"


def messages_of(error: ValidationError, schema: Schema) -> Iterator[tuple[Location, str]]:
    """Return where in a value of ``schema`` each mistake is, and what it is; one per place."""
    details = [(error_location_of(schema, detail["loc"]), detail) for detail in error.errors()]
    spots = [spot for spot, _ in details]
    by_place: dict[Location, list[Mapping[str, Any]]] = {}
    for spot, detail in details:
        if not (_may_follow(spot, detail["type"]) and _is_around(spot, spots)):
            by_place.setdefault(spot.location, []).append({**detail, "keys": spot.keys})
    for location, here in by_place.items():
        yield location, _message(here)


def _message(details: Sequence[Mapping[str, Any]]) -> str:
    first = details[0]
    match first["type"]:
        case "extra_forbidden":
            name = str(first["loc"][-1])
            return f"unknown key {name!r}; {suggest(name, first['keys'])}" if first["keys"] else "unknown key"
        case "missing":
            return "is missing"
        case "value_error":
            return str(first["msg"]).removeprefix("Value error, ")
    wanted = " or ".join(dict.fromkeys(_describe_wanted(detail) for detail in details))
    return f"{wanted}, got {_SHORT.repr(first['input'])}"


def _describe_wanted(detail: Mapping[str, Any]) -> str:
    """Return what a value should be, in the words of YAML where the validator has those of Python."""
    given = detail["input"]
    match detail["type"]:
        case "tuple_type":
            return "should be a list"
        case "too_short":
            return f"should have at least {count(detail['ctx']['min_length'], 'item')}"
        case "string_type" if isinstance(given, bool | int | float):
            return "should be text (quotes make it so)"
    return str(detail["msg"]).removeprefix("Input ").removeprefix("String ")


class ErrorLocation(NamedTuple):
    """A place in a value."""

    location: Location
    keys: tuple[str, ...]
    """What the mapping around it may hold."""
    is_choice: bool
    """Whether the whole value is not of one form that it could have had."""


def error_location_of(schema: Schema, path: Location) -> ErrorLocation:
    """Return the place that a validator's ``path`` means, in a value of ``schema`` (a JSON Schema).

    Where a value may have several forms, validators put the name of the form into the path; a config does
    not have it.
    """
    node = _resolve_reference(schema, schema)
    location: list[str | int] = []
    keys: tuple[str, ...] = ()
    is_choice = False
    for part in path:
        if part == "[key]":  # the key itself is wrong, and it is the last of the location already
            continue
        forms = _forms_of(node, schema)
        is_choice = len(forms) > 1
        if is_choice:
            node = _choose_form(node, forms, part, schema)
            continue
        node = forms[0]
        location.append(part)
        keys = tuple(node.get("properties", ()))
        node = _resolve_reference(_step_inside(node, part), schema)
    return ErrorLocation(tuple(location), keys, is_choice)


def _forms_of(node: Schema, schema: Schema) -> Sequence[Schema]:
    """Return the forms that a value may have, null apart."""
    forms = [_resolve_reference(form, schema) for form in (*node.get("anyOf", ()), *node.get("oneOf", ()))]
    return [form for form in forms if form.get("type") != "null"] or [node]


def _choose_form(node: Schema, forms: Sequence[Schema], name: str | int, schema: Schema) -> Schema:
    """Return the form that a validator calls ``name``: by its tag, its title, or a key that only it has."""
    tagged = node.get("discriminator", {}).get("mapping", {}).get(name)
    if tagged is not None:
        return _resolve_reference({"$ref": tagged}, schema)
    fitting = (form for form in forms if form.get("title") == name or name in form.get("properties", ()))
    return next(fitting, {})


def _step_inside(node: Schema, part: str | int) -> Schema:
    if isinstance(part, int):
        first = node.get("prefixItems", ())
        found = first[part] if part < len(first) else node.get("items", {})
    else:
        found = node.get("properties", {}).get(part) or node.get("additionalProperties", {})
    return found if isinstance(found, Mapping) else {}


def _resolve_reference(node: Schema, schema: Schema) -> Schema:
    """Return what ``node`` refers to, if it is a reference."""
    while (reference := node.get("$ref")) is not None:
        node = schema["$defs"][str(reference).rpartition("/")[2]]
    return node


def _may_follow(spot: ErrorLocation, kind: str) -> bool:
    """Whether a mistake further inside explains this one: another form was meant, or a list lacks it."""
    return spot.is_choice or kind == "too_short"


def _is_around(spot: ErrorLocation, others: Sequence[ErrorLocation]) -> bool:
    depth = len(spot.location)
    return any(len(other.location) > depth and other.location[:depth] == spot.location for other in others)
