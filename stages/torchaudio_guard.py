"""torchaudio next to a torch without CUDA: its wheel on PyPI is a CUDA build, and would not import.

torchaudio works without its compiled extension when the library's file is missing; the guard makes a library
that cannot be loaded count as missing. On a torch with CUDA it changes nothing.
"""

import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

GUARDED = "torchaudio._extension.utils"


class _Guard(importlib.abc.MetaPathFinder):
    """Finds the one module that loads the extension, and goes."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != GUARDED:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            _wrap(spec.loader)
        return spec


def _wrap(loader: Any) -> None:
    execute = loader.exec_module

    def exec_module(module: Any) -> None:
        execute(module)
        import torch  # noqa: PLC0415 - torchaudio has it by now

        if torch.version.cuda is None and torch.version.hip is None:
            module._load_lib = _make_tolerant(module._load_lib)  # noqa: SLF001

    loader.exec_module = exec_module


def _make_tolerant(load: Any) -> Any:
    def load_lib(lib: str) -> bool:
        try:
            return bool(load(lib))
        except OSError:
            return False

    return load_lib


def install_guard() -> None:
    """Stand guard until torchaudio is imported for the first time in this process."""
    guards = (finder for finder in sys.meta_path if isinstance(finder, _Guard))
    if "torchaudio" not in sys.modules and next(guards, None) is None:
        sys.meta_path.insert(0, _Guard())
