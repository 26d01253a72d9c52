"""Where in a value a validator's mistake lies: its path, without the names of the forms that it tried."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.places import Location

Schema = Mapping[str, Any]


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
