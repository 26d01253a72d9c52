"""Python files with operators of the user's own, read for the processes that need them."""

import linecache
from collections.abc import Iterable
from pathlib import Path

from schemas import UserError, fingerprint_of
from stages.user_modules import PREFIX, OperatorModule, install_modules


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
