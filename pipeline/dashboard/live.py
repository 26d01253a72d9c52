"""The views of a workspace as it is now, made anew when it has changed, and seldom if that takes long."""

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from pipeline.dashboard.pages import head_of, render_sections
from pipeline.listening.questions import reference_pairs_of, stimulus_pairs_of
from pipeline.listening.trials import StimulusPair
from pipeline.listening.votes import VoteBook
from pipeline.report.pages import RenderedSection
from pipeline.report.snapshot import Snapshot
from pipeline.store.workspace import Workspace
from pipeline.tables.inventory import Inventory
from schemas import fingerprint_of

REST = 10
"""Views are left alone for this many times as long as they kept a core busy."""


@dataclass(frozen=True)
class RunView:
    """Everything that is shown of one moment of a run."""

    snapshot: Snapshot
    head: str
    """How far it is, as HTML."""
    sections: Sequence[RenderedSection]
    comparisons: Sequence[StimulusPair]
    """What there is for listeners."""
    references: Sequence[StimulusPair]
    """What shows whether they listen."""
    shards: dict[str, str]
    """Where degraded utterances lie that can be compared."""

    @property
    def digests(self) -> dict[str, str]:
        """What each section's HTML comes to: pages fetch those that have changed."""
        return {section.id: _digest(section.html) for section in self.sections}


class Live:
    """The latest view. Others are made one at a time, apart from those who look at it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._lock = Lock()
        self._maker = ThreadPoolExecutor(1)
        self._making: Future[RunView | None] = Future()
        self._making.set_result(None)
        self._view: RunView | None = None
        self._state = ""
        self._rests_until_s = 0.0

    def view(self) -> RunView | None:
        """Return what there is to show, at once if there is anything; None while no run has begun.

        What went wrong with the last view is raised, once.
        """
        with self._lock:
            if self._making.done() and time.monotonic() >= self._rests_until_s:
                last, self._making = self._making, self._maker.submit(self._look)
                last.result()
            making, found = self._making, self._view
        return found or making.result()

    def _look(self) -> RunView | None:
        began_s = time.thread_time()
        try:
            state = _state_of(self.workspace)
            if state != self._state:
                self._view = _make_view(self.workspace)
                self._state = state
        finally:
            rest_s = REST * (time.thread_time() - began_s)
            self._rests_until_s = time.monotonic() + max(rest_s, self.workspace.least_rest_s)
        return self._view


def _make_view(workspace: Workspace) -> RunView | None:
    if workspace.inventory.read_if_there(0) is None:
        return None
    snapshot = Snapshot.of(workspace)
    placed = snapshot.tables.rows("SELECT id, shard FROM recipes")
    return RunView(
        snapshot=snapshot,
        head=head_of(snapshot),
        sections=render_sections(snapshot),
        comparisons=stimulus_pairs_of(snapshot.tables),
        references=reference_pairs_of(snapshot.tables),
        shards={row["id"]: row["shard"] for row in placed},
    )


def _state_of(workspace: Workspace) -> str:
    """Return a fingerprint of what views depend on: it changes when a shard, a ticket or a vote is added."""
    found = Inventory.read(workspace.inventory)
    tables = [] if found is None else [workspace.store.stamp(table.folder) for table in found.tables]
    return fingerprint_of(
        [
            str(workspace.holder),
            workspace.inventory.stamp(),
            workspace.ticket_log.stamp(),
            workspace.dataset.stamp(),
            tables,
            VoteBook(workspace.votes).stamp(),
        ]
    )


def _digest(html: str) -> str:
    return hashlib.sha256(html.encode()).hexdigest()[:16]
