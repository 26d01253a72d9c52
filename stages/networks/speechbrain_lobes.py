"""SpeechBrain's networks, without what their package does to the whole process.

Its import lets all matrix products round to TF32 and changes how TorchScript is compiled: what others give
would depend on whether a network of SpeechBrain's was loaded before. And it leaves lazy modules waiting to
be looked at.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stages import torchaudio_guard

QUIRKS_VARIABLE = "SB_DISABLE_QUIRKS"
"""What SpeechBrain's import is to leave alone (``speechbrain.utils.quirks``)."""


def import_lobe(name: str) -> Any:
    """Return the module ``speechbrain.lobes.NAME``, such as ``models.ECAPA_TDNN``."""
    torchaudio_guard.install_guard()
    with _without_quirks():
        module = importlib.import_module(f"speechbrain.lobes.{name}")
    forget_lazy_modules()
    return module


@contextmanager
def _without_quirks() -> Iterator[None]:
    before = os.environ.get(QUIRKS_VARIABLE)
    os.environ[QUIRKS_VARIABLE] = "allow_tf32,disable_jit_profiling"
    try:
        yield
    finally:
        if before is None:
            del os.environ[QUIRKS_VARIABLE]
        else:
            os.environ[QUIRKS_VARIABLE] = before


def forget_lazy_modules() -> None:
    """Take speechbrain's lazy modules that nobody used out of ``sys.modules``.

    Whoever walks that table, as debuggers and test tools do, would set off deprecation warnings and imports
    of packages that are not there (k2). An import by name finds them again.
    """
    for name in [name for name in sys.modules if name.startswith("speechbrain.")]:
        if type(sys.modules[name]).__name__ in {"LazyModule", "DeprecatedModuleRedirect"}:
            del sys.modules[name]
