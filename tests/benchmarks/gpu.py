"""What a GPU makes of the project's neural metrics and restorers, on a machine with one, alone, without Ray.

    python -m tests.benchmarks.gpu [--device cuda] [--minutes 7] [--speech FOLDER] [--seconds 600]
                                   [--only MODEL …] [--panel KIND …] [--data FOLDER] [--together] [--json]

Every neural metric and restorer whose weights are in the cache ($UNANIMOUS_WEIGHTS) or inside a package
hears speech of FOLDER (FLAC or WAV; the bundled sentences unless said) with made noise under it, two takes of
each recording. MODEL is a kind, or a kind with settings such as nsnet2:model_sample_rate=48000. What has no
weights here is listed with the command that fetches them; --data links those that a folder like the shared
data holds. A model that fails, dies or hangs is one row, and the rest goes on. The columns:

  × real time  seconds of audio per second: of a metric, of takes that are at its rate and level already, in
               batches as the stage makes them; of a restorer, as the stage calls it
  busy         share of that time in which the GPU ran a kernel, as nvidia-smi samples it
  from CPU     largest difference of a score from the same take alone on the CPU (goal: 1e-3 of an opinion
               score); of a restorer that of a sample in dB by the peak; "same" where no bit differs
  process,     peak memory in MiB, of the process and on the GPU (the larger of torch's own count and of what
  on GPU       nvidia-smi saw come: onnxruntime has no count)

The last row is the panel: the metrics that hear takes together on a GPU, over stored takes, with decoding,
resampling and levels; each take is decoded and resampled once for all of them. The goal is 200 × real time.

--minutes are kept by hearing less audio, by comparing fewer takes, and at last by leaving models out, as
their rows say. --device cpu shows that all of it runs; with --together metrics hear several takes at once
there too, as on a GPU. --json prints the same and more as JSON.
"""

import argparse
import contextlib
import json
import math
import os
import platform
import queue
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from threading import Thread

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import onnxruntime

from pipeline.execution.machine import list_gpus
from pipeline.text import align_columns, format_digits
from schemas import RunError
from stages.metrics import METRICS
from stages.networks.loading import require_device
from stages.restorers import RESTORERS
from stages.weights.has_weights import HasWeights
from tests.benchmarks.gpu_rows import PANEL_ROW, GpuRow, RowSettings
from tests.benchmarks.restorers import FAMILIES
from tests.support.neural_subjects import OF_PEAK
from tests.support.noisy_takes import list_recordings
from tests.support.shared_weights import lay_out

SPEECH = Path(__file__).parents[2] / "configs" / "speech"
MEBIBYTE = 2**20
PANEL = (
    "dnsmos", "distill_mos", "nisqa", "plcmos", "utmos", "speech_bert_score", "ge2e_speaker_similarity",
    "ecapa_speaker_similarity", "wavlm_speaker_similarity",
)  # fmt: skip
"""What hears takes together on a GPU."""
NOT_NEURAL = {"phone_error"}
WITHOUT_WEIGHTS_OF_THEIR_OWN = {"external", "onnx", "python", "torchscript"}
PANEL_SHARE = 0.2
"""Of the time."""
HANG_S = 60.0
"""Beyond its part of the time that a model may need, to load or for a call that cannot be cut short."""
ROW_BEGINS = '{"model":'
GOAL = 200
HEADINGS = ("model", "× real time", "busy", "from CPU", "process", "on GPU")


def neural_models() -> list[str]:
    """Return all metrics and restorers with a network of their own, by kind, or kind and settings."""
    metrics = [kind for kind in sorted(METRICS) if _has_network(METRICS[kind])]
    restorers = [kind for kind in sorted(RESTORERS) if _has_network(RESTORERS[kind])]
    return [*metrics, *(name for kind in restorers for name in FAMILIES.get(kind, [kind]))]


def _has_network(member: type) -> bool:
    left_out = member.kind in NOT_NEURAL | WITHOUT_WEIGHTS_OF_THEIR_OWN
    return not left_out and (issubclass(member, HasWeights) or bool(member.package_files))


def measured(options: argparse.Namespace) -> Iterator[GpuRow]:
    """Yield the row of each model and of the panel; what comes after a failure in a new process."""
    ends_s = time.time() + 60.0 * options.minutes
    left = [*(options.only or neural_models()), *([PANEL_ROW] if options.panel else [])]
    came: list[str] = []
    while left:
        settings = RowSettings(
            models=tuple(name for name in left if name != PANEL_ROW),
            panel=tuple(options.panel),
            came=tuple(came),
            speech=options.speech,
            device=options.device,
            seconds=options.seconds,
            together=options.together or options.device != "cpu",
            until_s=ends_s - 60.0 * options.minutes * PANEL_SHARE,
            panel_until_s=ends_s,
        )
        for row in _rows_of_a_process(settings, tuple(left)):
            left.remove(row.model)
            came += [row.model] if row.state == "measured" else []
            yield row


def _rows_of_a_process(settings: RowSettings, names: Sequence[str]) -> Iterator[GpuRow]:
    """Yield rows, up to one that failed on a GPU, which may be lost, or by which the process died or hung."""
    command = [sys.executable, "-m", "tests.benchmarks.gpu_rows", settings.model_dump_json()]
    lines: queue.Queue[str] = queue.Queue()
    waiting = list(names)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        Thread(target=_forward, args=(child, lines), daemon=True).start()
        try:
            while waiting:
                left_s = max(0.0, settings.panel_until_s - time.time())
                row = _next_row(child, lines, waiting[0], left_s / len(waiting) + HANG_S)
                waiting.remove(row.model)
                yield row
                if row.state == "failed" and (settings.device != "cpu" or child.poll() is not None):
                    return
        finally:
            child.kill()


def _forward(child: "subprocess.Popen[str]", lines: "queue.Queue[str]") -> None:
    """Hand on what the child prints, and an empty line when it has ended."""
    assert child.stdout is not None
    for line in child.stdout:
        lines.put(line)
    lines.put("")


def _next_row(
    child: "subprocess.Popen[str]", lines: "queue.Queue[str]", name: str, timeout_s: float
) -> GpuRow:
    ends_s = time.time() + timeout_s
    while True:
        try:
            line = lines.get(timeout=max(0.0, ends_s - time.time()))
        except queue.Empty:
            child.kill()
            child.wait()
            return GpuRow(model=name, state="failed", detail=f"no answer within {timeout_s:.0f} s")
        if not line:
            return GpuRow(model=name, state="failed", detail=f"its process ended with {child.wait()}")
        if line.startswith(ROW_BEGINS):  # libraries print, too
            return GpuRow.model_validate_json(line)


def table(rows: Sequence[GpuRow]) -> Iterator[str]:
    """Yield its lines: figures in columns, and what is to be said of each."""
    lines = align_columns([HEADINGS, *map(_cells, rows)])
    for line, note in zip(lines, ["", *map(_note, rows)], strict=True):
        yield f"{line}  {note}".rstrip() + "\n"


def _cells(row: GpuRow) -> tuple[str, ...]:
    if row.times_real_time is None:
        return row.model, *[""] * (len(HEADINGS) - 1)
    return (
        row.model,
        format_digits(row.times_real_time),
        "not measured" if row.busy is None else f"{row.busy:.0%}",
        _difference(row),
        *(f"{size / MEBIBYTE:.0f}" for size in (row.process_bytes, row.gpu_bytes)),
    )


def _note(row: GpuRow) -> str:
    if row.times_real_time is None:
        return f"{row.state}: {row.detail}"
    over = f"{row.heard_s:.0f} s of audio in {row.took_s:.1f} s"
    if row.model == PANEL_ROW:
        return f"goal {GOAL} × real time; {over}; {row.detail}"
    return f"{over}; {row.compared} takes held to the CPU"


def _difference(row: GpuRow) -> str:
    if not row.differences:
        return ""
    name, largest = max(row.differences.items(), key=lambda item: item[1])
    if largest == 0.0:
        return "same"
    if name == OF_PEAK:
        return f"{20.0 * math.log10(largest):.0f} dB"
    return f"{largest:.1e} {name}".rstrip()


def facts(device: str) -> dict[str, str]:
    """Return what the figures depend on."""
    versions = {}
    for name in ("torch", "onnxruntime", "onnxruntime-gpu"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return {
        "device": device,
        "gpu": "; ".join(list_gpus()) or "none found",
        "processor": f"{platform.machine()}, {os.cpu_count()} cores, of which one is used",
        **versions,
    }


def require_found(device: str) -> None:
    """Exit, saying what is missing, if torch or onnxruntime has no such device."""
    if device == "cpu":
        return
    try:
        require_device(device)
    except RunError as error:
        sys.exit(f"{error}: --device cpu shows that all of it runs, and no figure of a GPU")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        sys.stderr.write("this onnxruntime has no CUDA: what runs by it will fail; install onnxruntime-gpu\n")


def link_weights(data: Path) -> None:
    """Link the published files that ``data`` holds into the cache."""
    for member in (*METRICS.values(), *RESTORERS.values()):
        for weights in member.catalogue() if issubclass(member, HasWeights) else ():
            with contextlib.suppress(KeyError):
                lay_out(weights, data)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda (the default), cuda:1 …, or cpu")
    parser.add_argument("--minutes", type=float, default=7.0, help="all of it, about; 7 unless said")
    parser.add_argument("--speech", type=Path, default=SPEECH, help="folder of recordings")
    parser.add_argument("--seconds", type=float, default=600.0, help="takes that are made at most, together")
    parser.add_argument("--only", nargs="*", default=[], help="models; all others are left out")
    parser.add_argument("--panel", nargs="*", default=PANEL, help="metrics of the last row")
    parser.add_argument("--data", type=Path, help="folder of published weights with its MANIFEST.csv")
    parser.add_argument("--together", action="store_true", help="several takes at once on a CPU, too")
    parser.add_argument("--json", action="store_true", help="JSON on standard output instead of the table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or JSON; what has been done so far goes to standard error."""
    options = parsed(sys.argv[1:] if arguments is None else arguments)
    require_found(options.device)
    if not list_recordings(options.speech):
        sys.exit(f"{options.speech} holds no FLAC or WAV")
    if options.data is not None:
        link_weights(options.data)
    began_s, rows = time.time(), []
    for row in measured(options):
        sys.stderr.write(f"{time.time() - began_s:4.0f} s  {row.model}: {row.state}\n")
        rows.append(row)
    told = {**facts(options.device), "took_s": round(time.time() - began_s, 1)}
    if options.json:
        told["rows"] = [row.model_dump() for row in rows]
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in told.items()))
    sys.stdout.writelines(table(rows))


if __name__ == "__main__":
    main()
