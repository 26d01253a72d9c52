"""One run per workspace in an object store: an object put on conditions, by an owner whose heart beats."""

import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from pipeline.store.object_files import ObjectFiles
from schemas import RunError, WorkspaceError

NAME = "lock.json"
BEAT_S = 5.0
"""How often an owner puts the lock anew."""
DEAD_AFTER_S = 30.0
"""Without a beat for so long, by the watch of who waits, the owner is taken for dead."""


class ObjectLock:
    """The lock of a workspace, which this process holds or wants."""

    def __init__(
        self, files: ObjectFiles, *, beat_s: float = BEAT_S, dead_after_s: float = DEAD_AFTER_S
    ) -> None:
        self._files = files
        self._beat_s, self._dead_after_s = beat_s, dead_after_s
        self._owner = {
            "owner": uuid.uuid4().hex,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "born_at_s": psutil.Process().create_time(),
        }
        self._beats = 0
        self._tag = ""
        self._stop = threading.Event()
        self._is_lost = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lock inside. Raises ``WorkspaceError`` that says who else does, or that it was taken away.

        A dead owner's is taken over: at once if it was a process of this machine, else after it has not
        beaten for a while. Every put names the version that it is put over, so of two who try one succeeds.
        """
        self.acquire()
        beating = threading.Thread(target=self._beat_on, daemon=True)
        beating.start()
        try:
            yield
        except KeyboardInterrupt:
            if not self._is_lost:
                raise
            raise WorkspaceError(
                f"{self._files.url} was taken over by another run while this one could not be heard; what "
                "this one has finished stays"
            ) from None
        finally:
            self._stop.set()
            beating.join()
            with suppress(RunError):
                self._release()

    def acquire(self) -> None:
        """Take the lock, as ``hold`` does; it then lasts until others take its owner for dead."""
        while not self._files.put_if_absent(NAME, self._content()):
            found = self._files.read_tagged(NAME)
            if found is not None and self._is_free(*found):
                tag = self._files.put_over(found[1], NAME, self._content())
                if tag is not None:
                    self._tag = tag
                    return
        mine = self._files.read_tagged(NAME)
        self._tag = mine[1] if mine is not None else ""

    def _is_free(self, content: bytes, tag: str) -> bool:
        """Whether the owner is dead; raises ``WorkspaceError`` if it lives."""
        owner = owner_in(content)
        if is_dead_here(owner):
            return True
        until = time.monotonic() + self._dead_after_s
        while time.monotonic() < until:
            time.sleep(self._beat_s / 2)
            found = self._files.read_tagged(NAME)
            if found is None:
                return False  # given back: it can be put
            if found[1] != tag:
                raise WorkspaceError(
                    f"another run is at work in {self._files.url} (process {owner.get('pid')} on "
                    f"{owner.get('host')}); wait for it, stop it, or give this one a --workspace of its own"
                )
        return True

    def _content(self) -> bytes:
        self._beats += 1
        return json.dumps({**self._owner, "beat": self._beats}).encode()

    def _beat_on(self) -> None:
        while not self._stop.wait(self._beat_s):
            with suppress(RunError):  # out of reach for now: the next beat says whose it is then
                tag = self._files.put_over(self._tag, NAME, self._content())
                if tag is None:
                    self._is_lost = True
                    _interrupt_main()
                    return
                self._tag = tag

    def _release(self) -> None:
        found = self._files.read_tagged(NAME)
        if found is not None and owner_in(found[0]).get("owner") == self._owner["owner"]:
            self._files.remove(NAME)


def _interrupt_main() -> None:
    """Interrupt what the main thread is at, as Ctrl-C does; where that is ignored, as a scheduler does."""
    ignores = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, signal.SIGTERM if ignores else signal.SIGINT)


def owner_in(content: bytes) -> dict[str, Any]:
    """Return what a lock says of its owner; nothing if it is none of ours."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_dead_here(owner: dict[str, Any]) -> bool:
    """Whether the owner was a process of this machine that has ended; of others this one cannot tell."""
    if owner.get("host") != socket.gethostname():
        return False
    try:
        born_at_s = psutil.Process(int(owner["pid"])).create_time()
    except (psutil.NoSuchProcess, KeyError, ValueError):
        return True
    return bool(born_at_s != owner.get("born_at_s"))
