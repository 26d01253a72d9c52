"""The rows of ``tests.benchmarks.gpu``, made in this process: one neural model after the other, or the panel.

    python -m tests.benchmarks.gpu_rows SETTINGS

Told its ``RowSettings`` as JSON, it prints a ``GpuRow`` as JSON for each model as soon as it is done.
"""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

from onnxruntime.capi import onnxruntime_pybind11_state as errors

from pipeline.execution.peak_memory import forget_peaks, peak_bytes, peak_gpu_bytes
from schemas import BrokenError, MissingWeightsError, Reason, Record, RunError, UserError
from stages.audio.cache import AudioCache
from stages.metrics import METRICS
from stages.runtime.attempt import attempt
from stages.score.stage import ScoreInput, ScoreStage
from tests.support.gpu_samples import GpuSamples
from tests.support.neural_subjects import NeuralSubject, load_subject, settled, settled_model
from tests.support.noisy_takes import make_takes
from tests.support.tallied_cache import TalliedCache

PANEL_ROW = "the panel"
COMPARED = 6
"""Takes on which a device is held to the CPU."""
LEAST_S = 2.0
"""Of measuring on a GPU, whose busy share is sampled ten times a second."""
CACHE_BYTES = 2**30
SHARE_READY, SHARE_ASKED, SHARE_ALONE, SHARE_PANEL = 0.2, 0.35, 0.2, 0.6
"""Of a row's time; the rest is for loading."""


class RowSettings(Record):
    """What one process is to do until when."""

    models: tuple[str, ...]
    panel: tuple[str, ...]
    """Metrics of the last row, as far as they were measured; none is no such row."""
    came: tuple[str, ...]
    """Models that an earlier process has measured."""
    speech: Path
    device: str
    seconds: float
    together: bool
    until_s: float
    """Of the models, by ``time.time``."""
    panel_until_s: float

    @property
    def least_s(self) -> float:
        """How long a model is asked at least; a CPU needs no samples."""
        return 0.0 if self.device == "cpu" else LEAST_S

    @property
    def on_cpu_alone(self) -> bool:
        """Whether what is measured is already what it is held to."""
        return self.device == "cpu" and not self.together


class GpuRow(Record):
    """What one model came to on the device, or why to nothing."""

    model: str
    state: str = "measured"
    """``measured``, ``no weights here``, ``failed`` or ``left out``."""
    detail: str = ""
    times_real_time: float | None = None
    heard_s: float = 0.0
    """Seconds of audio that were timed; some of it twice where it went fast."""
    took_s: float = 0.0
    load_s: float = 0.0
    busy: float | None = None
    """Share of the time in which the GPU ran a kernel; None where nobody samples it."""
    compared: int = 0
    """Takes that were held to the CPU, which hears one after the other."""
    differences: Mapping[str, float] = {}
    """By score the largest one; of a restorer that of a sample in dB, by the CPU's peak."""
    process_bytes: int = 0
    gpu_bytes: int = 0


def row_of(name: str, make: Callable[[], GpuRow]) -> GpuRow:
    """Return the row, or one that says what went wrong: the next model is not to blame."""
    try:
        tried = attempt(name, partial(with_message, make))
    except MissingWeightsError as missing:
        return GpuRow(model=name, state="no weights here", detail=str(missing))
    except (RunError, UserError) as error:
        return GpuRow(model=name, state="failed", detail=str(error))
    finally:
        free_memory()
    return tried.value or GpuRow(model=name, state="failed", detail=tried.outcome.detail or "")


def with_message(make: Callable[[], GpuRow]) -> GpuRow:
    """Return the row; raises ``BrokenError`` with the message of what models raise that do not work."""
    try:
        return make()
    except (RuntimeError, ValueError, TypeError, KeyError, errors.Fail, errors.RuntimeException) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise BrokenError(Reason.ERROR, text[:300]) from error


def free_memory() -> None:
    """Give back what the last model held."""
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def measured_row(
    name: str, settings: RowSettings, records: Sequence[ScoreInput], cache: AudioCache, limit_s: float
) -> GpuRow:
    """Return the row of one model; ``limit_s`` is kept by hearing less, as far as one call allows."""
    forget_peaks()
    with GpuSamples(settings.device) as samples:
        began_s = time.perf_counter()
        subject = load_subject(name, settings.device, cache, together=settings.together)
        load_s = time.perf_counter() - began_s
        first = subject.items(records[0])[:1]
        each_s = second_time_s(lambda: subject.results(first))
        items = ready_items(subject, records, SHARE_READY * limit_s)
        items = items[: max(1, int(SHARE_ASKED * limit_s / each_s))]
        asked = ask_repeatedly(subject, items, settings.least_s, SHARE_ASKED * limit_s)
        row = GpuRow(
            model=name,
            times_real_time=asked.heard_s / asked.took_s,
            heard_s=asked.heard_s,
            took_s=asked.took_s,
            load_s=load_s,
            busy=samples.busy_share(asked.began_s, asked.began_s + asked.took_s),
            process_bytes=peak_bytes(),
            gpu_bytes=max(peak_gpu_bytes(), samples.peak_bytes()),
        )
    alone = subject if settings.on_cpu_alone else load_subject(name, "cpu", cache, together=False)
    return row.model_copy(update=held_to(alone, asked.results, items, SHARE_ALONE * limit_s))


def late_row(name: str) -> GpuRow:
    """Return the row of a model that no time is left for; raises ``MissingWeightsError`` all the same."""
    settled_model(name)
    return GpuRow(model=name, state="left out", detail="the time was over")


def second_time_s(call: Callable[[], Any]) -> float:
    """Return how long a call takes once what it needs on first use has been brought in."""
    call()
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


def ready_items(subject: NeuralSubject, records: Sequence[ScoreInput], limit_s: float) -> list[Any]:
    """Return what the model is given for as many records as are ready in time; for one at least."""
    ends_s = time.perf_counter() + limit_s
    items: list[Any] = []
    for record in records:
        items += subject.items(record)
        if time.perf_counter() > ends_s:
            break
    return items


@dataclass(slots=True)
class Asked:
    """What was heard while the clock ran, and the results of the first time."""

    began_s: float
    heard_s: float = 0.0
    took_s: float = 0.0
    results: dict[int, Any] = field(default_factory=dict)


def ask_repeatedly(subject: NeuralSubject, items: Sequence[Any], least_s: float, limit_s: float) -> Asked:
    """Ask for all items once and, until ``least_s`` have passed, again; no batch begins after ``limit_s``."""
    asked = Asked(time.perf_counter())
    while not asked.results or asked.took_s < least_s:
        for places in subject.batches(items):
            together = [items[place] for place in places]
            results = subject.results(together)
            asked.results.update(zip(places, results, strict=True))
            asked.heard_s += sum(subject.duration_s(item) for item in together)
            asked.took_s = time.perf_counter() - asked.began_s
            if asked.took_s > limit_s:
                return asked
    return asked


def held_to(
    alone: NeuralSubject, results: Mapping[int, Any], items: Sequence[Any], limit_s: float
) -> Mapping[str, Any]:
    """Return how many results were held to those of a CPU in time, and how far they are apart."""
    ends_s = time.perf_counter() + limit_s
    theirs: list[Any] = []
    places = sorted(results)[:COMPARED]
    for place in places:
        theirs += alone.results([items[place]])
        if time.perf_counter() > ends_s:
            break
    ours = [results[place] for place in places[: len(theirs)]]
    return {"compared": len(theirs), "differences": alone.differences(ours, theirs)}


def panel_row(kinds: Sequence[str], device: str, records: Sequence[ScoreInput], limit_s: float) -> GpuRow:
    """Return the row of all metrics of the panel over stored takes: decoding, rates and levels included."""
    forget_peaks()
    with GpuSamples(device) as samples:
        began_s = time.perf_counter()
        cache = TalliedCache(CACHE_BYTES)
        panel = [ScoreStage(kind, settled(METRICS[kind], {}), cache) for kind in kinds]
        for stage in panel:
            stage.load(device)
        load_s = time.perf_counter() - began_s
        each_s = second_time_s(lambda: score_all(panel, records[:1]))
        kept = records[1 : 2 + int(SHARE_PANEL * max(0.0, limit_s) / each_s)]
        cache.forget_counts()
        began_s = time.perf_counter()
        score_all(panel, kept)
        took_s = time.perf_counter() - began_s
        heard_s = sum(take.audio.duration_s for each in kept for take in each.restored.takes if take.audio)
        return GpuRow(
            model=PANEL_ROW,
            detail=f"{', '.join(kinds)}; {len(kept)} recordings, {2 * len(kept)} takes: "
            f"{cache.describe(took_s)}",
            times_real_time=heard_s / took_s,
            heard_s=heard_s,
            took_s=took_s,
            load_s=load_s,
            busy=samples.busy_share(began_s, began_s + took_s),
            process_bytes=peak_bytes(),
            gpu_bytes=max(peak_gpu_bytes(), samples.peak_bytes()),
        )


def score_all(panel: Sequence[ScoreStage], records: Sequence[ScoreInput]) -> None:
    """Have every metric score the records, batch by batch.

    Raises ``RuntimeError`` for a take without a score: its time would mean nothing.
    """
    for batch in panel[0].batches(records):
        for stage in panel:
            for row in stage.process(batch):
                if not row.is_ok:
                    raise RuntimeError(f"{row.id}: {row.reason} {row.detail}")


def rows(settings: RowSettings) -> Iterator[GpuRow]:
    """Yield the row of each model, each with its part of the time that is left, and of the panel."""
    records, cache = list(make_takes(settings.speech, settings.seconds)), AudioCache(CACHE_BYTES)
    came = set(settings.came)
    checked = {name: row_of(name, partial(late_row, name)) for name in settings.models}
    yield from (row for row in checked.values() if row.state != "left out")
    here = [name for name, row in checked.items() if row.state == "left out"]
    for place, name in enumerate(here):
        limit_s = (settings.until_s - time.time()) / (len(here) - place)
        make = partial(measured_row, name, settings, records, cache, limit_s)
        row = row_of(name, make) if limit_s > 0.0 or place == 0 else checked[name]
        came |= {name} if row.state == "measured" else set()
        yield row
    panel = [kind for kind in settings.panel if kind in came]
    limit_s = settings.panel_until_s - time.time()
    if panel:
        yield row_of(PANEL_ROW, partial(panel_row, panel, settings.device, records, limit_s))
    elif settings.panel:
        yield GpuRow(model=PANEL_ROW, state="left out", detail="none of its metrics was measured")


def main() -> None:
    """Print the rows."""
    for row in rows(RowSettings.model_validate_json(sys.argv[1])):
        sys.stdout.write(row.model_dump_json() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
