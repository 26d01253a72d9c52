"""The program's log: what foreign code said, which tables do not hold, in a file of the workspace."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.execution.machine import kind_of_cpu

_LOGGER = logging.getLogger("unanimous")


def open_log(path: Path) -> logging.Handler:
    """Send the log of this process to a file, and to nothing else; several processes may share the file.

    Each begins with the kind of its CPU, on which the bits of its results depend.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(process)d %(message)s"))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    _LOGGER.info("on %s", kind_of_cpu())
    return handler


@contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Send the log to a file for as long as this lasts, and leave logging as it was found."""
    level, propagate = _LOGGER.level, _LOGGER.propagate
    handler = open_log(path)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        handler.close()
        _LOGGER.setLevel(level)
        _LOGGER.propagate = propagate
