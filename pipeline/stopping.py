"""Being stopped from outside: SIGTERM, which schedulers send before they take a machine, is like Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 128 + signal.SIGTERM
"""A shell's for a command that SIGTERM ended."""


class Termination:
    """Whether SIGTERM was received."""

    def __init__(self) -> None:
        self.is_received = False

    def receive(self, _number: int, _frame: FrameType | None) -> None:
        """Note it, and interrupt what goes on: not with an error that a stage takes for its record's."""
        self.is_received = True
        raise KeyboardInterrupt


@contextmanager
def heeding_termination() -> Iterator[Termination]:
    """Interrupt what is done inside on SIGTERM; only the main thread can be told."""
    termination = Termination()
    if threading.current_thread() is not threading.main_thread():
        yield termination
        return
    before = signal.signal(signal.SIGTERM, termination.receive)
    try:
        yield termination
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Put back the handler of SIGTERM that a library replaces inside by its own."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
