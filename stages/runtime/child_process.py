"""A child process that is asked and answers over its standard streams, and that may die or hang."""

import fcntl
import os
import select
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from stages.threads import ONE_THREAD

PIPE_BYTES = 1 << 16
TAIL_BYTES = 4096
"""How much of what a child said last is kept, for the log."""


ENDING_S = 1.0


class DiedError(Exception):
    """The child closed its end before it was done."""


class HungError(Exception):
    """The child did not take or give its bytes in time."""


class ChildProcess:
    """A process in a group of its own, which ends when this object does."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path | None = None,
        *,
        echo: bool = False,
    ) -> None:
        """Start ``command`` in ``folder``, one thread per library. Raises ``OSError`` if it cannot be.

        ``echo`` repeats on this process's standard error what the child says on its own.
        """
        process = subprocess.Popen(  # noqa: S603 - what the caller names
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, **ONE_THREAD},
            cwd=folder,
            bufsize=0,
            start_new_session=True,  # so that what it starts ends with it
        )
        self._process = process
        self._tail = bytearray()
        self._listener = threading.Thread(target=_listen, args=(process, self._tail, echo), daemon=True)
        self._listener.start()
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        self.close = weakref.finalize(self, _end, process)

    @property
    def ending(self) -> str:
        """How the child ended, as ``SIGSEGV`` or ``exit code 3``; nothing while it goes on."""
        with suppress(subprocess.TimeoutExpired):  # its streams are closed a little before it is gone
            code = self._process.wait(ENDING_S)
            return _signal_name(-code) if code < 0 else f"exit code {code}"
        return ""

    @property
    def last_words(self) -> str:
        """The end of what the child wrote to its standard error."""
        self._listener.join(timeout=1.0 if self._process.poll() is not None else 0.0)
        return self._tail.decode(errors="replace").strip()

    def send(self, data: bytes, timeout_s: float) -> None:
        """Write ``data``; raises ``DiedError`` or ``HungError`` if the child does not take it."""
        deadline = time.monotonic() + timeout_s
        stream = self._process.stdin
        assert stream is not None
        left = memoryview(data)
        while left:
            _await(stream, select.POLLOUT, deadline)
            try:
                left = left[os.write(stream.fileno(), left[:PIPE_BYTES]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise DiedError from error

    def receive(self, count: int, deadline: float) -> bytes:
        """Return the next ``count`` bytes; ``deadline`` is by ``time.monotonic``."""
        held = bytearray()
        stream = self._process.stdout
        assert stream is not None
        while len(held) < count:
            _await(stream, select.POLLIN, deadline)
            read = os.read(stream.fileno(), min(count - len(held), 16 * PIPE_BYTES))
            if not read:
                raise DiedError
            held += read
        return bytes(held)


def _signal_name(number: int) -> str:
    """Return ``SIGSEGV`` or the like; real-time signals have no names."""
    known = {each.value: each.name for each in signal.Signals}
    return known.get(number, f"signal {number}")


@contextmanager
def limit_time(questions: IO[bytes], seconds: int) -> Iterator[None]:
    """In a child: have the system end its group when time is up or the parent has closed ``questions``.

    Even while foreign code holds the interpreter, which no thread could interrupt: the signals do.
    """
    flags = fcntl.fcntl(questions, fcntl.F_GETFL)
    fcntl.fcntl(questions, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(questions, fcntl.F_SETFL, flags | os.O_ASYNC)  # SIGIO, once the other end is closed
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        fcntl.fcntl(questions, fcntl.F_SETFL, flags)


def _await(stream: IO[bytes], event: int, deadline: float) -> None:
    """Return once there is something to do; raises ``HungError`` if there is not in time.

    Not by ``select.select``, which knows 1024 files, where a process of a cluster may have more open.
    """
    waiting = select.poll()
    waiting.register(stream, event)
    if not waiting.poll(1e3 * max(0.0, deadline - time.monotonic())):
        raise HungError


def _listen(process: "subprocess.Popen[bytes]", tail: bytearray, echo: bool) -> None:  # noqa: FBT001
    """Keep the end of what the child says, so that it can go on saying it."""
    assert process.stderr is not None
    with suppress(OSError, ValueError), process.stderr as stream:
        while said := os.read(stream.fileno(), PIPE_BYTES):
            if echo:
                os.write(2, said)
            tail += said
            del tail[:-TAIL_BYTES]


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
