"""Peak memory: what this process, the processes it has started and its GPU have held at most for a while."""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")
FORGET_PEAK = "5"
"""What Linux takes as the order to measure the peak of a process anew (proc(5), ``clear_refs``)."""
KIBIBYTE = 1024


def forget_peaks() -> None:
    """Measure from now on. Where the system has no means to, peaks are those since a process began."""
    for process in _processes():
        try:
            (process / "clear_refs").write_text(FORGET_PEAK)
        except OSError:  # it has ended, or the file system is mounted read-only
            continue
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> int:
    """Return the sum of the peaks of this process and those under it; what they share counts for each."""
    peaks = [_high_water_bytes(process) for process in _processes()]
    return sum(peaks) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE


def peak_gpu_bytes() -> int:
    """Return what torch has held at most on this process's GPU; 0 without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    return int(torch.cuda.max_memory_allocated())


def _processes() -> Iterator[Path]:
    """Yield the folders of this process and its descendants; nothing where the system has no such folders."""
    left = [PROCESSES / "self"]
    while left:
        process = left.pop()
        if not process.is_dir():
            continue
        yield process
        for children in process.glob("task/*/children"):
            try:
                left += [PROCESSES / child for child in children.read_text().split()]
            except OSError:
                continue


def _high_water_bytes(process: Path) -> int:
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0
    found = [line for line in lines if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) * KIBIBYTE if found else 0
