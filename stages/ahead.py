"""Working ahead: what the next batch needs is brought in while a model is busy with this one."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def prefetched(batches: Iterator[T], prepare: Callable[[T], None]) -> Generator[T, None, None]:
    """Yield each batch, having called ``prepare`` on all but the first in a thread meanwhile.

    Preparing only saves time: what it raises is left to whoever processes the batch and meets it again.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        batch = next(batches, None)
        while batch is not None:
            following = next(batches, None)
            begun = [] if following is None else [thread.submit(prepare, following)]
            yield batch
            wait(begun)
            batch = following
