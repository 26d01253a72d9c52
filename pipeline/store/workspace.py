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
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.files import Files, StoredFile, expand_home
from pipeline.store.local_files import LocalFiles, file_at, remove_empty_folders
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
    """What is in a workspace, whether or not it is there yet.

    Tables, catalogue, inventories, audit and report are in its ``files``. What cannot be put whole stays in a
    folder, the ``root``: the lock, journals, logs and votes; and the dataset, for people to open.
    """

    def __init__(self, root: Path, files: Files | None = None) -> None:
        """``files`` are those in ``root``, unless others are given."""
        self.root = root
        self.files = LocalFiles(root) if files is None else files
        self.store = TableStore(self.files)
        self.dataset = DatasetFiles(root / "dataset")
        self.journals = root / "journals"
        self.log = root / "logs" / "run.log"
        self.worker_log = root / "logs" / "workers.log"
        self.ticket_log = root / "logs" / "tickets.jsonl"
        self.votes = root / "listening"
        self.report = StoredFile(self.files, "report.html")
        self.audit = StoredFile(self.files, "audit.json")
        self.config = StoredFile(self.files, "config.json")
        self.inventory = StoredFile(self.files, "tables.json")
        self.stand_ins = StoredFile(self.files, "stand_ins.json")
        self._holder = root / "lock.json"

    @property
    def is_there(self) -> bool:
        """Whether anything was ever made in it."""
        return self.root.is_dir()

    def inventory_of(self, dataset_key: str) -> StoredFile:
        """Return where the inventory of the run that made a dataset is kept, whatever ran later."""
        return StoredFile(self.files, f"inventories/{dataset_key}.json")

    def catalogue(self, name: str) -> StoredFile:
        """Return a file of what is known of recordings: shards of a corpus or pool, or stamps of files."""
        return StoredFile(self.files, f"catalogue/{name}")

    @property
    def has_tables(self) -> bool:
        """Whether any table was ever begun in it."""
        return bool(self.files.stamp("tables"))

    def remove_drafts(self) -> None:
        """Remove what killed writers left behind; nobody else may be at work in the workspace."""
        LocalFiles(self.root).remove_drafts("", "catalogue/", "inventories/", "tables/*/")

    def remove_empty_folders(self) -> None:
        """Remove folders of tables and journals that nothing is left in; it has to be held."""
        for folder in (self.root / "tables", self.journals):
            remove_empty_folders(folder)

    def clear_places(self) -> Iterator[str]:
        """Move aside what lies where a run keeps its own, and walk what there is to say; it has to be held.

        That is folders and broken links in place of files, and the other way round.
        """
        tables = self.root / "tables"
        kept = [tables, *(self.root / name for name in ("catalogue", "inventories", "logs")), self.journals]
        for path in (*kept, *_entries(tables)):
            if not path.is_dir() and os.path.lexists(path):
                yield f"{path} is no folder: {set_aside(path, self.root)}"
        own = (self.config, self.inventory, self.stand_ins, self.audit, self.report)
        files = [self.root / file.name for file in own]
        files += [self.log, self.worker_log, self.ticket_log]
        for folder in (self.root / "catalogue", self.root / "inventories", *_entries(tables)):
            files += _entries(folder)
        for path in files:
            if not path.is_file() and os.path.lexists(path):
                yield f"{path} is no file: {set_aside(path, self.root)}"

    def set_aside(self, place: str) -> str | None:
        """Move a damaged file out of the way; return what to say of it, or None if it is not here."""
        path, root = Path(place), self.root.absolute()
        return set_aside(path, root) if path.is_relative_to(root) and os.path.lexists(path) else None

    @property
    def holder(self) -> "Holder | None":
        """Who holds it, or None. Looks only: the lock itself is left alone."""
        try:
            written_at_s = self._holder.stat().st_mtime
            described = json.loads(self._holder.read_bytes())
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
            file_at(self._holder).put(json.dumps(holder).encode())
            yield
        finally:
            self._holder.unlink(missing_ok=True)
            lock.release()

    def _describe_holder(self) -> str:
        holder = self.holder
        return "it has just started" if holder is None else str(holder)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


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


def is_workspace(text: str) -> bool:
    """Whether ``text`` names a workspace that is there, and not a config."""
    return Path(text).is_dir()


def is_ray_job(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process was started by ``ray job submit``."""
    return JOB_VARIABLE in environment
