"""Threads beside the one that makes rows: files are written and digested while Python works."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Background:
    """Does one thing after another in a thread of its own, and takes no more than one in advance.

    Beside it a second thread does what nothing has to wait for until its outcome is asked for.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dataset")
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dataset-aside")
        self._begun: Future[Any] | None = None

    def do(self, work: Callable[[], Any]) -> None:
        """Begin ``work`` once what was begun before is done. Raises what that raised."""
        self.wait()
        self._begun = self._thread.submit(work)

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Do ``work`` in the second thread, in its turn."""
        return self._aside.submit(work)

    def wait(self) -> None:
        """Return once nothing is being done. Raises what the last work raised."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.result()

    def __enter__(self) -> Self:
        """Begin with nothing to do."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let the threads end."""
        self._thread.shutdown()
        self._aside.shutdown()
