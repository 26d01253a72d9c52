"""Being stopped from outside: by Ctrl-C, by SIGTERM, which schedulers send, by a terminal that is closed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import soundfile

HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RETRY_S = 0.001


class Interruption:
    """What was received, if anything was."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Note it, and interrupt what goes on: not with an error that a stage takes for its record's."""
        self.received = self.received or signal.Signals(number)
        if _is_in_codec(frame):
            signal.setitimer(signal.ITIMER_REAL, RETRY_S)
        else:
            raise KeyboardInterrupt

    @property
    def exit_code(self) -> int:
        """A shell's for a command that was ended so."""
        return 128 + (self.received or signal.SIGINT)

    def heed(self) -> None:
        """Raise again what foreign code has swallowed: what it then returned is no record's doing."""
        if self.received is not None:
            raise KeyboardInterrupt


def _is_in_codec(frame: FrameType | None) -> bool:
    """Whether soundfile is at work, which an exception from outside would do harm to.

    cffi prints and forgets what is raised in a callback, and the record fails for it; an interrupted
    ``close`` leaves a handle that is freed twice.
    """
    while frame is not None:
        if frame.f_code.co_filename == soundfile.__file__:
            return True
        frame = frame.f_back
    return False


@contextmanager
def heeding_interruption() -> Iterator[Interruption]:
    """Interrupt what is done inside when told to stop; only the main thread can be told.

    What is ignored goes on being so: Ctrl-C by a command in the background of a script, a closed terminal
    under ``nohup``.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.getsignal(number) for number in (*HEEDED, signal.SIGALRM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interruption.receive)
    try:
        yield interruption
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Put back the handler of SIGTERM that a library replaces inside by its own."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
