"""Being stopped from outside: by Ctrl-C, by SIGTERM, which schedulers send, by a terminal that is closed."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import pydantic
import soundfile

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RETRY_S = 0.001
FORGETFUL = (soundfile.__file__, str(Path(pydantic.__file__).parent))
"""Where the code lies during which a request to stop waits."""


def _interrupt() -> None:
    """End what goes on, but not with an error that a stage takes for its record's."""
    raise KeyboardInterrupt


class Interruption:
    """What was received, if anything was."""

    def __init__(self, interrupt: Callable[[], None] = _interrupt) -> None:
        """``interrupt`` raises what ends the process."""
        self._interrupt = interrupt
        self.received: signal.Signals | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Note it, and interrupt what goes on."""
        self.received = self.received or signal.Signals(number)
        if _would_be_lost(frame):
            signal.setitimer(signal.ITIMER_REAL, RETRY_S)
        else:
            self._interrupt()

    def check_stop(self) -> None:
        """Raise again what foreign code has swallowed: what it then returned is no record's doing."""
        if self.received is not None:
            self._interrupt()


def _would_be_lost(frame: FrameType | None) -> bool:
    """Whether a library is at work that forgets what is raised in what it calls, or is harmed by it.

    cffi prints it, and the codec and its record fail for it; an interrupted ``close`` of soundfile leaves
    a handle that is freed twice. pydantic takes it for a union that cannot be told apart, and warns.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith(FORGETFUL):
            return True
        frame = frame.f_back
    return False


@contextmanager
def catch_stop_signals() -> Iterator[Interruption]:
    """Interrupt what is done inside when told to stop; only the main thread can be told.

    What is ignored goes on being so: Ctrl-C by a command in the background of a script, a closed terminal
    under ``nohup``.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.getsignal(number) for number in (*STOP_SIGNALS, signal.SIGALRM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interruption.receive)
    try:
        yield interruption
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def catch_termination() -> Interruption:
    """Let SIGTERM end this process as it would have, but heed it where foreign code swallows that.

    For a process that a library with a handler of its own serves; outside the main thread nothing is heeded.
    """
    before = signal.getsignal(signal.SIGTERM)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        return Interruption()
    interruption = Interruption(lambda: before(signal.SIGTERM, None))
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, interruption.receive)
    return interruption


@contextmanager
def exit_on_stop() -> Iterator[Interruption]:
    """End a command that can be gone on with by a sentence and a shell's exit code when told to stop."""
    with catch_stop_signals() as interruption:
        try:
            yield interruption
        except KeyboardInterrupt:
            with suppress(OSError):  # the terminal may be gone
                sys.stderr.write("stopped; what is finished stays, and the same command goes on from here\n")
            raise SystemExit(128 + (interruption.received or signal.SIGINT)) from None


@contextmanager
def preserve_handlers() -> Iterator[None]:
    """Put back the handler of SIGTERM that a library replaces inside by its own, which leaves the process.

    What that one has received meanwhile, the first one is told.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:
        if callable(before) and signal.getsignal(signal.SIGTERM) is not before:
            before(signal.SIGTERM, None)
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
