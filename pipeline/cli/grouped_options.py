"""Options that belong together: a command takes them as one dataclass, whose fields are the options."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter
from typing import Any, get_type_hints


def group_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return ``command`` for typer, which knows no dataclasses: in the place of each are its fields.

    An option's name, help and bounds are in the field's annotation, as they would be in the command's.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @functools.wraps(command)
    def grouped(**given: Any) -> None:
        made = {
            name: group(**{f.name: given.pop(f.name) for f in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **made)

    parameters = list(_parameters_of(command, hints))
    grouped.__annotations__ = {each.name: each.annotation for each in parameters}
    vars(grouped)["__signature__"] = inspect.Signature(parameters)
    return grouped


def _parameters_of(command: Callable[..., None], hints: dict[str, Any]) -> Iterator[Parameter]:
    for name, parameter in inspect.signature(command).parameters.items():
        if not is_dataclass(hints[name]):
            yield Parameter(name, Parameter.KEYWORD_ONLY, default=parameter.default, annotation=hints[name])
            continue
        types = get_type_hints(hints[name], include_extras=True)
        for each in fields(hints[name]):
            default = Parameter.empty if each.default is MISSING else each.default
            yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=types[each.name])
