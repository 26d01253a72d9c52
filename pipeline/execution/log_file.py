"""The program's log: what foreign code said, which tables do not hold, in a file of the workspace."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pipeline.execution.machine import kind_of_cpu
from pipeline.store.line_log import TextLog

_LOGGER = logging.getLogger("unanimous")


def open_log(log: TextLog) -> "logging.StreamHandler[TextIO]":
    """Send the log of this process to ``log``, and to nothing else; several processes may share it.

    Each begins with the kind of its CPU, on which the bits of its results depend.
    """
    handler = logging.StreamHandler(log.begin())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(process)d %(message)s"))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    _LOGGER.info("on %s", kind_of_cpu())
    return handler


@contextmanager
def log_to(log: TextLog) -> Iterator[None]:
    """Send the log there for as long as this lasts, and leave logging as it was found."""
    level, propagate = _LOGGER.level, _LOGGER.propagate
    handler = open_log(log)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        handler.stream.close()
        handler.close()
        _LOGGER.setLevel(level)
        _LOGGER.propagate = propagate
