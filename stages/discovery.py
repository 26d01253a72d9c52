"""A family is its folder: importing the folder registers every member in it."""

import importlib
import pkgutil
from collections.abc import Iterable


def import_members(package: str, path: Iterable[str]) -> None:
    """Import every module of ``package`` so that its operators register themselves."""
    for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        importlib.import_module(f"{package}.{module.name}")
