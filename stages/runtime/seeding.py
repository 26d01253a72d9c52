"""Global generators, for libraries that draw from them: they follow a named stream, then go on as before."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def seeded_from(stream: np.random.Generator) -> Iterator[None]:
    """Set the generators of ``random``, numpy and, if it is loaded, torch from ``stream``; put them back."""
    seeds = [int(seed) for seed in stream.integers(2**32, size=3)]
    with preserve_generators():
        random.seed(seeds[0])
        np.random.seed(seeds[1])  # noqa: NPY002 - libraries draw from it
        if (torch := sys.modules.get("torch")) is not None:
            torch.manual_seed(seeds[2])
        yield


@contextmanager
def preserve_generators() -> Iterator[None]:
    """Leave the generators of ``random``, numpy and, if it is loaded, torch as they were found."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with _preserve_torch_generators():
            yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


@contextmanager
def _preserve_torch_generators() -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        yield
