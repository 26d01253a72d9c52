"""Isolation: a metric in a process of its own: its crash is one record's reason, not the run's end.

Parent and child speak in frames over the child's standard streams: eight bytes of length, then a pickle. The
child is first told the user's modules, then the metric, then one comparison at a time; it answers each with
its values or their outcome, or with the error that the next record would meet too.
"""

import os
import pickle
import struct
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import IO, Any

from schemas import Outcome, Reason, RunError, Status, UserError
from stages import torchaudio_guard
from stages.operators import user_modules
from stages.operators.metric import Comparison, Measured, Metric
from stages.runtime.attempt import attempt
from stages.runtime.child_process import ChildProcess, DiedError, HungError, limit_time

_LENGTH = struct.Struct(">Q")
_LOAD_TIMEOUT_S = 600.0
"""Time to read weights from a slow disk."""
GRACE_S = 5


class IsolatedMetric:
    """Scores like the metric itself, but in a child process that may die or hang.

    A comparison on which the child dies is tried once more with a new child; if that dies too, its reason
    is ``CRASHED``. One without an answer after ``timeout_s`` seconds is ``TIMED_OUT``. The next comparison
    gets a new child either way. The child ends with its parent.
    """

    def __init__(self, metric: Metric, timeout_s: float) -> None:
        self._metric = type(metric).model_validate(metric.model_dump())  # what is loaded does not pickle
        self._timeout_s = timeout_s
        self._device = "cpu"
        self._child: _Child | None = None

    def load(self, device: str) -> None:
        """Start the child and load the metric there; raises what loading raised."""
        self._device = device
        self._ready_child()

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the values of each comparison, or why there are none."""
        return [self._score(comparison) for comparison in batch]

    def close(self) -> None:
        """End the child, if there is one."""
        if self._child is not None:
            self._child.close()
        self._child = None

    def _score(self, comparison: Comparison) -> Measured | Outcome:
        for _ in range(2):
            try:
                answer: Measured | Outcome = self._ready_child().ask(comparison, self._timeout_s)
            except DiedError:
                self.close()
            except HungError:
                self.close()
                detail = f"no answer within {self._timeout_s:g} s"
                return Outcome(status=Status.FAILED, reason=Reason.TIMED_OUT, detail=detail)
            else:
                return answer
        return Outcome(status=Status.FAILED, reason=Reason.CRASHED, detail="its process died twice")

    def _ready_child(self) -> "_Child":
        if self._child is None:
            self._child = _start_child(self._metric, self._device, self._timeout_s)
        return self._child


class _Child:
    """The process, and what is said to it."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "stages.score.isolated_metric"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = ChildProcess(command, environment, echo=True)
        self.close = self._process.close

    def tell(self, value: Any, timeout_s: float) -> None:
        """Send ``value``."""
        body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        self._process.send(_LENGTH.pack(len(body)) + body, timeout_s)

    def ask(self, value: Any, timeout_s: float) -> Any:
        """Send ``value`` and return the answer, or raise the error that the answer is."""
        self.tell(value, timeout_s)
        answer = self._answer(time.monotonic() + timeout_s)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answer(self, deadline: float) -> Any:
        (length,) = _LENGTH.unpack(self._process.receive(_LENGTH.size, deadline))
        return pickle.loads(self._process.receive(length, deadline))  # noqa: S301 - from our own child


def _start_child(metric: Metric, device: str, timeout_s: float) -> _Child:
    child = _Child()
    try:
        child.tell((user_modules.loaded_modules(), timeout_s), _LOAD_TIMEOUT_S)
        child.ask((metric, device), _LOAD_TIMEOUT_S)
    except (DiedError, HungError) as error:
        child.close()
        raise RunError(f"{metric.kind}: its process did not survive loading the metric") from error
    return child


def _write(stream: IO[bytes], value: Any) -> None:
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    left = memoryview(_LENGTH.pack(len(body)) + body)
    while left:
        left = left[stream.write(left) :]


def _read(stream: IO[bytes]) -> Any:
    """Return the next value, or None once the parent is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return pickle.loads(stream.read(*_LENGTH.unpack(head)))  # noqa: S301 - from our own parent


def _own_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Return the frames' streams, and keep everyone else's prints and reads away from them."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return questions, answers


def _load_metric(questions: IO[bytes]) -> tuple[Metric, float]:
    modules, timeout_s = _read(questions)
    user_modules.install_modules(modules)
    metric, device = _read(questions)
    with limit_time(questions, round(_LOAD_TIMEOUT_S) + GRACE_S):
        metric.load(device)
    return metric, timeout_s


def _result(metric: Metric, comparison: Comparison) -> Measured | Outcome:
    (result,) = metric.score([comparison])
    return result


def _serve() -> None:
    questions, answers = _own_streams()
    torchaudio_guard.install_guard()
    try:
        metric, timeout_s = _load_metric(questions)
        _write(answers, None)
        while (comparison := _read(questions)) is not None:
            with limit_time(questions, round(timeout_s) + GRACE_S):
                tried = attempt(f"isolated {metric.kind}", partial(_result, metric, comparison))
            _write(answers, tried.outcome if tried.value is None else tried.value)
    except (RunError, UserError) as error:
        _write(answers, error)


if __name__ == "__main__":
    _serve()
