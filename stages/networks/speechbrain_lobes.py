"""SpeechBrain's networks, without the modules that it leaves waiting to be looked at."""

import importlib
import sys
from typing import Any


def lobe(name: str) -> Any:
    """Return the module ``speechbrain.lobes.NAME``, such as ``models.ECAPA_TDNN``."""
    module = importlib.import_module(f"speechbrain.lobes.{name}")
    forget_lazy_modules()
    return module


def forget_lazy_modules() -> None:
    """Take speechbrain's lazy modules that nobody used out of ``sys.modules``.

    Whoever walks that table, as debuggers and test tools do, would set off deprecation warnings and imports
    of packages that are not there (k2). An import by name finds them again.
    """
    for name in [name for name in sys.modules if name.startswith("speechbrain.")]:
        if type(sys.modules[name]).__name__ in {"LazyModule", "DeprecatedModuleRedirect"}:
            del sys.modules[name]
