"""Calling a restoration model: in groups of about one length, in halves where memory does not suffice.

What the next batch needs is brought in while the model is busy with this one.
"""

import gc
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from schemas import BrokenError, Outcome, Reason, RecordError, RunError
from stages.audio.waveform import Waveform
from stages.operators.operator import Operator
from stages.operators.restorer import MixedPrecision, Restorer
from stages.operators.rng import rng_for
from stages.operators.user_modules import USERS_MISTAKES
from stages.runtime import seeding
from stages.runtime.attempt import Attempt, attempt
from stages.stage import ModelTime

T = TypeVar("T")

TRIAL_S = 0.5
TRIAL_RATE_HZ = 16_000
"""For models that work at any rate."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One input of a model and the stream that it may draw from, both made when it is asked."""

    name: str
    """What it is called in the log."""
    duration_s: float
    given: Callable[[], Waveform]
    """Returns the input at the model's rate."""
    stream: Callable[[], np.random.Generator]
    """Returns the stream at its beginning: asked once more, a request has the same result."""


class ModelCalls:
    """Calls models on a device, and knows how long that has taken so far."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.time = ModelTime()
        """What all calls have taken together."""

    def can_share_batches(self, model: Restorer) -> bool:
        """Whether inputs of several records may share a call.

        On the CPU a row has the same bits wherever shards end and workers die, so that there only models
        without a tolerance get inputs of other records.
        """
        return model.batch_s > 0.0 and (self.device != "cpu" or model.tolerance == 0.0)

    def results(self, model: Restorer, requests: Sequence[ModelRequest]) -> list[Attempt[Waveform]]:
        """Return what the model gives for each request, or why it does not, in order."""
        places = range(len(requests))
        budget_s = 0.0 if model.global_randomness else model.batch_s
        found: dict[int, Attempt[Waveform]] = {}
        for group in group_by_length(places, lambda place: (1, requests[place].duration_s), budget_s):
            results = self._request_together(model, [requests[place] for place in group])
            found.update(zip(group, results, strict=True))
        return [found[place] for place in places]

    def outputs(
        self, model: Restorer, inputs: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        """Return one output per input; raises what the model raises."""
        with _surroundings(model, streams[0], self.device):
            began = time.perf_counter()
            outputs = model.restore(inputs, streams)
            took_s = time.perf_counter() - began
        self.time += ModelTime(took_s, sum(each.duration_s for each in inputs))
        if len(outputs) != len(inputs):
            raise BrokenError(Reason.WRONG_SHAPE, f"{len(outputs)} outputs for {len(inputs)} inputs")
        return outputs

    def _request_together(self, model: Restorer, requests: Sequence[ModelRequest]) -> list[Attempt[Waveform]]:
        """Ask all at once; where that does not work, halves if memory did not suffice, else one by one."""
        names = ", ".join(request.name for request in requests)
        tried = attempt(names, partial(self._call_all, model, requests))
        if tried.value is not None:
            return [Attempt(Outcome(), output) for output in tried.value]
        if len(requests) == 1:
            return [Attempt(tried.outcome)]
        if tried.outcome.reason is not Reason.OUT_OF_MEMORY:
            return [result for request in requests for result in self._request_together(model, [request])]
        _free_memory()
        middle = len(requests) // 2
        halves = [
            *self._request_together(model, requests[:middle]),
            *self._request_together(model, requests[middle:]),
        ]
        return [_add_note(result, f"out of memory with {len(requests)} inputs at once") for result in halves]

    def _call_all(self, model: Restorer, requests: Sequence[ModelRequest]) -> Sequence[Waveform]:
        inputs = [request.given() for request in requests]
        return self.outputs(model, inputs, [request.stream() for request in requests])


def load_model(model: Restorer, device: str) -> None:
    """Load a model on ``device``, and have it and those within it try to compute in their precision there.

    Raises ``RunError`` where that cannot be: a processor may have no kernel for a format that torch knows.
    """
    model.load(device)
    for each in _with_inner(model):
        if isinstance(each, MixedPrecision) and each.precision != "float32":
            _try_precision(each, device)


def group_by_length(
    items: Sequence[T], size: Callable[[T], tuple[int, float]], budget_s: float
) -> Iterator[list[T]]:
    """Group items of about one length, longest first: inputs times the longest stay within the budget.

    ``size`` says how many inputs an item is and how long the longest of them is. An item that alone
    exceeds the budget is a group of its own. Which items meet depends on nothing but their sizes and order.
    """
    group: list[T] = []
    held, longest_s = 0, 0.0
    for item in sorted(items, key=lambda item: -size(item)[1]):
        count, length_s = size(item)
        if group and (held + count) * longest_s > budget_s:
            yield group
            group, held = [], 0
        longest_s = longest_s if group else length_s
        group.append(item)
        held += count
    if group:
        yield group


def _with_inner(operator: Operator) -> Iterator[Operator]:
    yield operator
    for inner in operator.inner:
        yield from _with_inner(inner)


def _try_precision(model: MixedPrecision, device: str) -> None:
    """Raise ``RunError`` if the model fails at a moment of noise, but would not in 32 bits."""
    said = _trial(model, device)
    if not said or _trial(model.with_settings({"precision": "float32"}), device):
        return
    place, way = ("this processor", ", or run on a GPU") if device == "cpu" else (device, "")
    raise RunError(
        f"{place} cannot run {model.kind} in {model.precision}: {said}; set precision: float32{way}"
    )


def _trial(model: Restorer, device: str) -> str:
    """Return what a model fails with when it is given a moment of noise, if it fails."""
    rate = model.sample_rate or TRIAL_RATE_HZ
    noise = 0.1 * rng_for(0, "trial").standard_normal(round(TRIAL_S * rate)).astype(np.float32)
    try:
        with seeding.preserve_generators():
            ModelCalls(device).outputs(model, [Waveform(noise, rate)], [rng_for(0, "trial of", model.kind)])
    except (RecordError, *USERS_MISTAKES) as error:
        return f"{error}".partition("\n")[0].partition(". ")[0] or type(error).__name__
    return ""


def _add_note(result: Attempt[Waveform], note: str) -> Attempt[Waveform]:
    """Return a result whose row will say what happened on the way; the largest group is named."""
    return Attempt(Outcome(detail=note), result.value) if result.value is not None else result


@contextmanager
def _surroundings(model: Restorer, stream: np.random.Generator, device: str) -> Iterator[None]:
    """Provide what a model's call is made under."""
    with ExitStack() as stack:
        torch = sys.modules.get("torch")  # models that need it have brought it in when they were loaded
        if torch is not None:
            stack.enter_context(torch.inference_mode())
        if torch is not None and isinstance(model, MixedPrecision) and model.precision != "float32":
            kind, number_format = device.partition(":")[0], getattr(torch, model.precision)
            stack.enter_context(torch.autocast(kind, dtype=number_format))
        if model.global_randomness:
            stack.enter_context(seeding.seeded_from(stream))
        yield


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


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
