"""Global generators, for libraries that draw from them: they follow a named stream, then go on as before."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def drawn_from(stream: np.random.Generator) -> Iterator[None]:
    """Set the generators of ``random``, numpy and, if it is loaded, torch from ``stream``; put them back."""
    seeds = [int(seed) for seed in stream.integers(2**32, size=3)]
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - libraries draw from it
    random.seed(seeds[0])
    np.random.seed(seeds[1])  # noqa: NPY002
    try:
        with _torch(seeds[2]):
            yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


@contextmanager
def _torch(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
