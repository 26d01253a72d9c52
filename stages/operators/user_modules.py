"""Operators of the user's own: Python files that the config names, carried to every process as source."""

import sys
import types
from collections.abc import Iterable

from schemas import ConfigError, Record

PREFIX = "unanimous_user_"
USERS_MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What code of the user's own may raise while it is loaded."""


class OperatorModule(Record):
    """A user's file: where it was and what it says, so that a process on another machine can load it."""

    name: str
    path: str
    source: str


_installed: dict[str, OperatorModule] = {}


def install_modules(modules: Iterable[OperatorModule]) -> None:
    """Execute each module once in this process, under its own name; its operators register themselves.

    Raises ``ConfigError`` naming file and line when a module cannot be executed.
    """
    for module in modules:
        if _installed.get(module.name) == module:
            continue
        loaded = types.ModuleType(module.name)
        loaded.__file__ = module.path
        sys.modules[module.name] = loaded
        try:
            exec(compile(module.source, module.path, "exec"), loaded.__dict__)  # noqa: S102 - the user's own code
        except USERS_MISTAKES as error:
            del sys.modules[module.name]
            raise ConfigError(f"{module.path}: {type(error).__name__}: {error}") from error
        _installed[module.name] = module


def loaded_modules() -> tuple[OperatorModule, ...]:
    """Return the modules of this process, for a child that needs them too."""
    return tuple(_installed.values())
