"""The tickets of a board, done by interchangeable actors; the same bytes as the local executor, sooner."""

import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayActorError, RayError

from pipeline.execution.board import Board, WorkerState
from pipeline.execution.executor import Job, OnDone
from pipeline.execution.ray.actor import TicketActor
from pipeline.execution.ray.cluster import connect_cluster, worker_environment
from pipeline.execution.ray.deaths import Deaths
from pipeline.execution.ray.metrics import RunMetrics
from pipeline.execution.ray.scaling import Capacity, classes_to_release
from pipeline.execution.worker import TicketResult
from pipeline.store.workspace import Workspace
from pipeline.tables.scores import num_takes
from pipeline.tables.tickets import CPU, Ticket, TicketGraph, gpus_of
from schemas import Reason, RunError, UnanimousError

POLL_S = 0.5
SLOWER_THAN_EVER = 50.0
"""A record that takes this many times what one took on average is taken for hanging."""
TOO_LONG = "its worker finished nothing for longer than 'deadline_s' in the config allows"
LEAST_LOADING_S = 600.0
"""Time for a worker to start, import and load weights from a slow disk, before its first record."""


@dataclass
class WorkerHandle:
    """One actor, what it has loaded, and what it is doing."""

    actor: Any
    state: WorkerState
    ticket: Ticket | None = None
    reference: Any = None
    alive_at: float = 0.0
    journal_size: int = -1
    has_begun: bool = False
    """Whether the journal of its ticket has grown since it was given: it is past starting and loading."""
    killed: bool = False


class RayExecutor:
    """Starts actors when there is work for them, gives each the best ticket, and outlives their deaths."""

    def __init__(
        self,
        run: Job,
        graph: TicketGraph,
        workspace: Workspace,
        workers: int | None,
        say: Callable[[str], None],
        *,
        check_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """``check_stop`` raises if the run was told to stop and a library has swallowed it."""
        self._run = run
        self._graph = pickle.dumps(graph)
        self._workspace = workspace
        self._workers = workers
        self._say = say
        self._check_stop = check_stop
        self._handles: list[WorkerHandle] = []
        self._deaths = Deaths(workspace.journals)
        self._record_s: dict[str, float] = {}
        self._started = 0

    def run(self, board: Board, on_done: OnDone) -> None:
        """Do all tickets of the board."""
        with connect_cluster(self._run, self._workers, self._say):
            self._metrics = RunMetrics(self._run.config.name)
            found = _cluster_resources()
            self._capacity = Capacity(self._workers or int(found.get("CPU", 0)), found.get("GPU", 0.0))
            check_gpus(board, self._capacity.gpus)
            try:
                while board.num_left:
                    self._check_stop()
                    self._staff(board)
                    self._hand_out(board)
                    self._collect(board, on_done)
                    self._replace_hanging()
            finally:
                for handle in self._handles:
                    ray.kill(handle.actor)

    def _staff(self, board: Board) -> None:
        """Start workers for classes that have ready tickets, and let those go whose tickets have run out."""
        ready = board.count_ready()
        leaving = classes_to_release(self._count_held(), board.count_waiting(), ready, self._capacity)
        for handle in [
            handle for handle in self._handles if handle.ticket is None and handle.state.resource in leaving
        ]:
            ray.kill(handle.actor)
            self._handles.remove(handle)
        for resource, number in ready.items():
            idle = sum(
                handle.ticket is None and handle.state.resource == resource for handle in self._handles
            )
            for _ in range(min(number - idle, self._capacity.room_for(resource, self._count_held()))):
                self._handles.append(self._start_worker(resource))

    def _count_held(self) -> Counter[str]:
        return Counter(str(handle.state.resource) for handle in self._handles)

    def _start_worker(self, resource: str) -> WorkerHandle:
        gpus = gpus_of(resource)
        self._started += 1
        name = f"{self._run.config.name} {resource} {self._started}"
        actor_class = ray.remote(
            num_cpus=1 if resource == CPU else 0, num_gpus=gpus, max_restarts=0, max_task_retries=0
        )(TicketActor)
        actor = actor_class.options(name=name, runtime_env=worker_environment()).remote(
            self._workspace,
            self._run.modules,
            self._graph,
            "cuda" if gpus else "cpu",
        )
        return WorkerHandle(actor, WorkerState(resource))

    def _hand_out(self, board: Board) -> None:
        for handle in self._handles:
            if handle.ticket is None and (ticket := board.take(handle.state)):
                handle.ticket = ticket
                handle.state.notice(ticket)
                handle.alive_at = time.monotonic()
                handle.journal_size = self._journal_size(ticket)
                handle.has_begun = False
                handle.reference = handle.actor.run.options(name=ticket.name).remote(
                    ticket.place, self._deaths.excluded_from(ticket), self._deaths.has_killed(ticket)
                )
        self._metrics.set_in_flight(len(board.given))

    def _collect(self, board: Board, on_done: OnDone) -> None:
        by_reference = {handle.reference: handle for handle in self._handles if handle.ticket is not None}
        ready, _ = ray.wait(list(by_reference), timeout=POLL_S)
        for handle in (by_reference[reference] for reference in ready):
            ticket = handle.ticket
            if ticket is None:
                continue
            for result in self._take_result(handle, ticket, board):
                handle.ticket = handle.reference = None
                board.finish(ticket, result.wall_s)
                self._learn(ticket, result)
                self._metrics.count_finished(ticket, result)
                on_done(ticket, result)

    def _take_result(self, handle: WorkerHandle, ticket: Ticket, board: Board) -> Iterator[TicketResult]:
        """Give the result of a finished ticket; nothing if its worker has died and it was put back."""
        try:
            answer: TicketResult | UnanimousError = ray.get(handle.reference)
        except (RayActorError, OutOfMemoryError) as error:
            self._handles.remove(handle)
            ray.kill(handle.actor)  # one that is only out of reach must not come back to the same ticket
            self._deaths.note(
                ticket, _reason(handle, error), TOO_LONG if handle.killed else type(error).__name__
            )
            board.give_back(ticket)
            return
        except RayError as error:
            raise RunError(f"{ticket.name}: {error}") from error
        if isinstance(answer, UnanimousError):
            raise answer
        yield answer

    def _learn(self, ticket: Ticket, result: TicketResult) -> None:
        rows = max(1.0, sum(result.counts.values()) / num_takes(ticket.table))
        mean_s = result.inside_s / rows
        folder = ticket.table.folder
        self._record_s[folder] = max(mean_s, self._record_s.get(folder, 0.0))

    def _journal_size(self, ticket: Ticket) -> int:
        return self._workspace.journals.size_of(ticket.place)

    def _replace_hanging(self) -> None:
        """Kill workers whose journal has not grown for longer than any record should take."""
        now = time.monotonic()
        for handle in self._handles:
            if handle.ticket is None:
                continue
            size = self._journal_size(handle.ticket)
            if size != handle.journal_size:
                handle.journal_size, handle.alive_at, handle.has_begun = size, now, True
            if now - handle.alive_at > self._patience_s(handle, handle.ticket):
                handle.killed = True
                ray.kill(handle.actor)

    def _patience_s(self, handle: WorkerHandle, ticket: Ticket) -> float:
        deadline_s = self._run.config.deadline_s
        if not handle.has_begun:
            return max(deadline_s, LEAST_LOADING_S)
        return max(deadline_s, SLOWER_THAN_EVER * self._record_s.get(ticket.table.folder, 0.0))


def check_gpus(board: Board, found: float) -> None:
    """Raise ``RunError`` before anything is done for tickets that need more GPUs than there are."""
    wanted = {t.table.name: t.table.gpus for t in board.tickets if not board.is_done(t)}
    if lacking := [name for name, gpus in wanted.items() if gpus > found]:
        raise RunError(
            f"{', '.join(lacking)}: {max(wanted.values()):g} GPUs per worker are asked for, and there are "
            f"{found:g}; 'gpus: 0' in the config's entry lets it run on a CPU"
        )


def _reason(handle: WorkerHandle, error: RayError) -> Reason:
    if handle.killed:
        return Reason.TIMED_OUT
    if isinstance(error, OutOfMemoryError):  # of any other death Ray's message says that it may have been
        return Reason.OUT_OF_MEMORY
    return Reason.CRASHED


def _cluster_resources() -> dict[str, float]:
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return found
