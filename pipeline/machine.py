"""What the machine is that a run would use."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from pipeline.wording import count, size

CPU_INFO = Path("/proc/cpuinfo")
GPU_QUERY = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
GPU_TIMEOUT_S = 20.0


def machine_facts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and value: processor, memory, disk at ``folder``, GPUs, Python."""
    memory = psutil.virtual_memory()
    usable = len(os.sched_getaffinity(0))
    yield "cpu", f"{_cpu_model()}, {count(usable, 'core')} for this process of {os.cpu_count()}"
    yield "memory", f"{size(memory.total)}, {size(memory.available)} available"
    yield "disk", f"{size(shutil.disk_usage(folder).free)} free at {folder}"
    yield "gpu", "; ".join(gpus()) or "none found (nothing that ships with the project needs one)"
    yield "python", f"{platform.python_version()} at {sys.executable}"


def gpus() -> list[str]:
    """Return name, memory and driver of each NVIDIA GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(  # noqa: S603 - a fixed query
            [program, *GPU_QUERY], capture_output=True, text=True, timeout=GPU_TIMEOUT_S, check=True
        )
    except (subprocess.SubprocessError, OSError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _cpu_model() -> str:
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
