"""A workspace: the folder that holds a run's tables and its dataset, and the lock that keeps it one run's."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from pipeline.store.damage import set_aside
from pipeline.store.files import expand_home, write_whole
from pipeline.store.table_store import TableStore
from schemas import WorkspaceError

JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""What the job manager sets in the process that it starts, despite its name; so in Ray 2.60."""

CLOCK_SLACK_S = 2.0
"""Clocks of processes and of file systems differ a little."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a workspace."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    def may_be_alive(self, since_s: float) -> bool:
        """Whether it may still be the process that it was at ``since_s``; only its own machine can tell."""
        if self.host != socket.gethostname():
            return True
        try:
            return bool(psutil.Process(self.pid).create_time() <= since_s + CLOCK_SLACK_S)
        except psutil.NoSuchProcess:
            return False


class Workspace:
    """The folders of a workspace, whether or not they are there yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = TableStore(root / "tables")
        self.journals = root / "journals"
        self.dataset = root / "dataset"
        self.report = root / "report.html"
        self.log = root / "logs" / "run.log"
        self.ticket_log = root / "logs" / "tickets.jsonl"
        self.config = root / "config.json"
        self.inventory = root / "tables.json"
        self._holder = root / "lock.json"

    def inventory_of(self, dataset_key: str) -> Path:
        """Return where the inventory of the run that made a dataset is kept, whatever ran later."""
        return self.root / "inventories" / f"{dataset_key}.json"

    @property
    def holder(self) -> "Holder | None":
        """Who holds it, or None. Looks only: the lock itself is left alone."""
        try:
            written_at_s = self._holder.stat().st_mtime
            described = json.loads(self._holder.read_text())
            holder = Holder(int(described["pid"]), str(described["host"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return holder if holder.may_be_alive(written_at_s) else None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the workspace: nobody else can run in it. A dead holder's lock is free.

        Raises ``WorkspaceError`` that says who holds it, or that the folder cannot be written to.
        """
        lock = FileLock(self.root / "lock", timeout=0)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise WorkspaceError(
                f"another run is at work in {self.root} ({self._describe_holder()}); wait for it, stop it, "
                "or give this one a --workspace of its own"
            ) from None
        except OSError as error:
            raise WorkspaceError(
                f"cannot write to the workspace {self.root}: {error.strerror} ({error.filename}); "
                "give another --workspace"
            ) from error
        try:
            if self._holder.is_dir():
                set_aside(self._holder, self.root)
            holder = {"pid": os.getpid(), "host": socket.gethostname()}
            write_whole(self._holder, json.dumps(holder).encode())
            yield
        finally:
            self._holder.unlink(missing_ok=True)
            lock.release()

    def _describe_holder(self) -> str:
        holder = self.holder
        return "it has just started" if holder is None else str(holder)


def open_workspace(text: str | None, name: str, environment: Mapping[str, str] = os.environ) -> Workspace:
    """Return the workspace called ``text``, or ``runs/<name>`` if that is None.

    Raises ``WorkspaceError`` for empty text, for a URL, for a file, and for a relative path inside a Ray job.
    """
    chosen = f"runs/{name}" if text is None else text
    if not chosen:
        raise WorkspaceError("the workspace is empty text; give a folder")
    if "://" in chosen:
        raise WorkspaceError(
            f"the workspace {chosen!r} is a URL; object stores are not supported yet: give a folder that all "
            "machines of the cluster mount, such as /shared/runs/demo"
        )
    path = expand_home(chosen)
    if not path.is_absolute() and is_ray_job(environment):
        raise WorkspaceError(
            f"the workspace {chosen!r} is relative, and inside a Ray job that is a folder named by the "
            "upload's hash, on one node, which no later job would find; give an absolute path that all nodes "
            "share: --workspace /shared/runs/demo"
        )
    if path.exists() and not path.is_dir():
        raise WorkspaceError(f"the workspace {path} is a file, not a folder")
    return Workspace(path.absolute())


def is_ray_job(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process was started by ``ray job submit``."""
    return JOB_VARIABLE in environment
