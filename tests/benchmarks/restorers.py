"""How fast restoration models are, what memory they need, and what the stage around them costs.

    python -m tests.benchmarks.restorers [--speech FOLDER] [--files 71] [--only MODEL …] [--device cpu]
                                         [--data FOLDER] [--real]

Each registered model restores the speech in FOLDER (FLAC or WAV; the bundled sentences unless said) in a
process of its own, and has its line as soon as it is done. MODEL is a kind, or a kind with settings such as
fast_enhancer:size=m. Published weights are taken from the cache, or with --data from a folder like the
shared data; a model whose weights are in neither runs with the small random ones of the laws, and its line
says so: then only what the stage costs means something, and --real leaves it out. The columns:

  rtf          seconds inside the model per second of audio, as the stage calls it
  one by one   the same with one input per call, for models with a batch dimension
  in batches   the same with inputs of about one length together
  peak, of it  memory of the process at most, and what it held before the model was loaded, in MiB
  stage        milliseconds per second of audio for what surrounds the model: FLAC, rates, lag, level
  of model     the same as a share of the model's time; at most 5 % is the goal for RTFs over 0.05
  busy         the model's share of the time by the clock, which on a GPU is about the GPU's

On a CPU times are of the processor, so that other programs disturb them little; on a GPU, of the clock.
"""

import argparse
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np
import soundfile
from pydantic import ValidationError

from pipeline.execution.peak_memory import forget_peaks, peak_bytes, peak_gpu_bytes
from pipeline.text import format_digits
from schemas import Degraded, MissingWeightsError, Record
from stages.audio.cache import AudioCache
from stages.audio.flac import decode_flac, encode_flac
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restore.calls import ModelCalls, group_by_length
from stages.restore.stage import RestoreStage
from stages.restorers import RESTORERS, Restorer
from stages.weights.files import CACHE_VARIABLE
from stages.weights.has_weights import HasWeights
from tests.support.shared_weights import lay_out
from tests.support.tiny_restorers import TINY, lawful_restorer

SPEECH = Path(__file__).parents[2] / "configs" / "speech"
MEBIBYTE = 2**20
COLUMNS = {
    "model": 32, "weights": 9, "rtf": 8, "one by one": 10, "in batches": 10, "peak": 6, "of it": 6, "GPU": 6,
    "stage ms/s": 10, "of model": 8, "busy": 5,
}  # fmt: skip
"""Headings and widths."""
FAMILIES = {
    "fast_enhancer": [f"fast_enhancer:size={size}" for size in "tbsm"],
    "nsnet2": [f"nsnet2:model_sample_rate={rate}" for rate in (16_000, 48_000)],
}
"""Kinds that stand for several networks."""


class Figures(Record):
    """What one model came to; real-time factors are seconds per second of audio."""

    model: str
    weights: str
    real_time_factor: float
    one_by_one: float | None
    """The factor with one input per call, and in batches, for models with a batch dimension."""
    in_batches: float | None
    around_ms: float
    """What the stage takes around the model, per second of audio."""
    busy: float
    before_bytes: int
    peak_bytes: int
    gpu_bytes: int

    @property
    def cells(self) -> tuple[str, ...]:
        """One line of the table."""
        factors = self.real_time_factor, self.one_by_one, self.in_batches
        return (
            self.model,
            self.weights,
            *("" if factor is None else format_digits(factor) for factor in factors),
            *(f"{size / MEBIBYTE:.0f}" for size in (self.peak_bytes, self.before_bytes, self.gpu_bytes)),
            format_digits(self.around_ms),
            f"{1e-3 * self.around_ms / self.real_time_factor:.1%}",
            f"{self.busy:.0%}",
        )


def figures_of(name: str, options: argparse.Namespace) -> Figures | None:
    """Return what the model comes to in this process; None if it is not to be run."""
    records = degraded(options.speech, options.files)
    audio_s = sum(record.degraded.duration_s for record in records if record.degraded)
    clock = time.thread_time if options.device == "cpu" else time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        model, weights = loadable(name, options.data, Path(folder))
        if weights == "small" and options.real:
            return None
        forget_peaks()
        before_bytes = peak_bytes()
        model.load(options.device)
        stage_s, model_s, busy = in_stage(model, records, options.device, clock)
        peaks = peak_bytes(), peak_gpu_bytes()
        inputs = given(model, records) if model.batch_s > 0.0 else []
        return Figures(
            model=name,
            weights=weights,
            real_time_factor=model_s / audio_s,
            one_by_one=factor_of(model, inputs, options.device, clock) if inputs else None,
            in_batches=factor_of(model, inputs, options.device, clock, model.batch_s) if inputs else None,
            around_ms=1e3 * (stage_s - model_s) / audio_s,
            busy=busy,
            before_bytes=before_bytes,
            peak_bytes=peaks[0],
            gpu_bytes=peaks[1],
        )


def degraded(speech: Path, files: int) -> list[Degraded]:
    """Return the recordings of a folder as the stage is given them."""
    paths = sorted(path for path in speech.rglob("*") if path.suffix in {".flac", ".wav"})[:files]
    records = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        audio = encode_flac(Waveform(np.ascontiguousarray(samples[:, 0]), rate))
        records.append(Degraded(id=path.stem, degraded=audio, clean=audio))
    return records


def loadable(name: str, data: Path | None, folder: Path) -> tuple[Restorer, str]:
    """Return the model, and whether its weights are the published ones, small ones, or none."""
    kind, _, said = name.partition(":")
    named = (each.split("=") for each in said.split(",") if each)
    settings = {setting: int(value) if value.isdigit() else value for setting, value in named}
    if kind not in TINY:
        return RESTORERS[kind].model_validate(settings), "none"
    if data is not None:
        os.environ[CACHE_VARIABLE] = str(folder)
    with contextlib.suppress(ValidationError, KeyError, MissingWeightsError):
        model = RESTORERS[kind].model_validate(settings)
        if data is not None and isinstance(model, HasWeights) and model.published is not None:
            lay_out(model.published, data)
        return model.with_digests(), "published"
    return lawful_restorer(kind, folder), "small"


def given(model: Restorer, records: Sequence[Degraded]) -> list[Waveform]:
    """Return the recordings at the model's rate, no longer than it takes them."""
    inputs = []
    for record in records:
        assert record.degraded is not None
        waveform = decode_flac(record.degraded)
        waveform = resample(waveform, model.sample_rate or waveform.sample_rate)
        longest = round((model.chunk_s or waveform.duration_s) * waveform.sample_rate)
        inputs.append(waveform.with_samples(waveform.samples[:longest]))
    return inputs


def factor_of(
    model: Restorer,
    inputs: Sequence[Waveform],
    device: str,
    clock: Callable[[], float],
    budget_s: float = 0.0,
) -> float:
    """Return how long the model takes for all inputs in batches of at most so many seconds, per second."""
    calls = ModelCalls(device)
    began = clock()
    for batch in group_by_length(inputs, lambda waveform: (1, waveform.duration_s), budget_s):
        calls.outputs(model, batch, [rng_for(0, "benchmark", n) for n in range(len(batch))])
    return (clock() - began) / sum(waveform.duration_s for waveform in inputs)


def in_stage(
    model: Restorer, records: Sequence[Degraded], device: str, clock: Callable[[], float]
) -> tuple[float, float, float]:
    """Return how long the stage takes, how long the model in it, and the model's share by the clock.

    Raises ``RuntimeError`` for a recording that was not restored: its time would mean nothing.
    """
    stage = RestoreStage("model", model, num_takes=1, draws={}, seed=0, cache=AudioCache())
    stage._calls.device = device  # noqa: SLF001 - the model is loaded already
    stage.process(records[:1])  # brings in what is imported on first use
    warmed, spent = stage.model_time, timed(model, clock)
    of_all_threads = time.process_time if device == "cpu" else time.perf_counter
    began, began_wall = of_all_threads(), time.perf_counter()
    for batch in stage.batches(records):
        for row in stage.process(batch):
            if not row.is_ok:
                raise RuntimeError(f"{row.id}: {row.reason} {row.detail}")
    stage_s, wall_s = of_all_threads() - began, time.perf_counter() - began_wall
    return stage_s, sum(spent), (stage.model_time - warmed).inside_s / wall_s


def timed(model: Restorer, clock: Callable[[], float]) -> list[float]:
    """Return a list that will hold how long each call of the model took."""
    spent: list[float] = []
    restore = model.restore

    def restore_timed(
        batch: Sequence[Waveform], streams: Sequence[np.random.Generator]
    ) -> Sequence[Waveform]:
        began = clock()
        restored = restore(batch, streams)
        spent.append(clock() - began)
        return restored

    object.__setattr__(model, "restore", restore_timed)
    return spent


def rows(names: Sequence[str], arguments: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the line of each model, made by a process of its own; what fails says so on standard error."""
    for place, name in enumerate(names, start=1):
        sys.stderr.write(f"{place} of {len(names)}: {name}\n")
        command = [sys.executable, "-m", "tests.benchmarks.restorers", *arguments, "--child", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout.splitlines()
        if done.returncode:
            sys.stderr.write(done.stderr)
        elif said:
            yield Figures.model_validate_json(said[-1]).cells


def line(cells: Iterable[str]) -> str:
    """Return cells in their columns, the first two of which are text."""
    first, second, *others = zip(cells, COLUMNS.values(), strict=True)
    texts = [cell.ljust(width) for cell, width in (first, second)]
    return "  ".join([*texts, *(cell.rjust(width) for cell, width in others)]).rstrip() + "\n"


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--speech", type=Path, default=SPEECH, help="folder of recordings")
    parser.add_argument("--files", type=int, default=71, help="how many of them at most")
    parser.add_argument("--only", nargs="*", default=[], help="models; all others are left out")
    parser.add_argument("--real", action="store_true", help="leave out models with small random weights")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 …")
    parser.add_argument("--data", type=Path, help="folder of published weights with its MANIFEST.csv")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main() -> None:
    """Print the table, line by line."""
    options = parsed(sys.argv[1:])
    if options.child:
        try:
            figures = figures_of(options.child, options)
        except MissingWeightsError as missing:
            sys.exit(f"not run: {missing}")
        sys.stdout.write(figures.model_dump_json() + "\n" if figures else "")
        return
    names = options.only or [name for kind in sorted(RESTORERS) for name in FAMILIES.get(kind, [kind])]
    for cells in itertools.chain([COLUMNS], rows(names, sys.argv[1:])):
        sys.stdout.write(line(cells))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
