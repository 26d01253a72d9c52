"""A workspace: the folder that holds a run's tables and its dataset, and the lock that keeps it one run's."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from pipeline.store.damage import set_aside
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.files import Files, StoredFile
from pipeline.store.journal import JournalFolder, Journals
from pipeline.store.line_log import LineLog, Lines, LocalLogs, LocalTextLog, LogFolder, TextLog
from pipeline.store.local_files import LocalFiles, file_at, free_bytes_at, remove_empty_folders
from pipeline.store.table_store import TableStore
from schemas import WorkspaceError

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
        self._keep_in(LocalFiles(root) if files is None else files)
        self._root: Path | None = root
        self.least_rest_s = 1.0
        """How long those who look on leave it alone at least: a look has its price in a store."""
        self.dataset = DatasetFiles(root / "dataset")
        self.journals: Journals = JournalFolder(root / "journals")
        self.log: TextLog = LocalTextLog(root / "logs" / "run.log")
        self.worker_log: TextLog = LocalTextLog(root / "logs" / "workers.log")
        self.ticket_log: Lines = LineLog(root / "logs" / "tickets.jsonl")
        self.votes: LogFolder = LocalLogs(root / "listening")
        self._holder = root / "lock.json"

    def _keep_in(self, files: Files) -> None:
        """Take what can be put whole from these files."""
        self.files = files
        self.store = TableStore(files)
        self.report = StoredFile(files, "report.html")
        self.audit = StoredFile(files, "audit.json")
        self.config = StoredFile(files, "config.json")
        self.inventory = StoredFile(files, "tables.json")
        self.stand_ins = StoredFile(files, "stand_ins.json")
        self.round = StoredFile(files, "round.json")
        self.invitations = StoredFile(files, "invitations.json")

    def __str__(self) -> str:
        """Return where it is, as people know it."""
        return str(self.root)

    @property
    def root(self) -> Path:
        """The folder. Raises ``WorkspaceError`` for a workspace that is in none."""
        if self._root is None:
            raise WorkspaceError(
                f"the workspace {self} is in an object store, and this takes one in a folder"
            )
        return self._root

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.root.name

    @property
    def free_bytes(self) -> int | None:
        """The room that is left for it; None where nothing limits it."""
        return free_bytes_at(self.root)

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
        for folder in (self.root / "tables", self.root / "journals"):
            remove_empty_folders(folder)

    def clear_places(self) -> Iterator[str]:
        """Move aside what lies where a run keeps its own, and walk what there is to say; it has to be held.

        That is folders and broken links in place of files, and the other way round.
        """
        tables = self.root / "tables"
        folders = ("catalogue", "inventories", "logs", "journals")
        kept = [tables, *(self.root / name for name in folders)]
        for path in (*kept, *_entries(tables)):
            if not path.is_dir() and os.path.lexists(path):
                yield f"{path} is no folder: {set_aside(path, self.root)}"
        noted = (self.config, self.inventory, self.stand_ins, self.round, self.invitations)
        files = [self.root / file.name for file in (*noted, self.audit, self.report)]
        files += [self.root / "logs" / name for name in ("run.log", "workers.log", "tickets.jsonl")]
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
