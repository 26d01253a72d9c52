"""What the machine is that a run would use."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psutil

from pipeline.text import count, format_bytes

CPU_INFO = Path("/proc/cpuinfo")
VECTORS: Mapping[str, frozenset[str]] = {
    "AVX-512": frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    "AVX2": frozenset({"avx2", "fma"}),
    "SVE": frozenset({"sve"}),
    "NEON": frozenset({"asimd"}),
}
"""By what libraries choose their kernels, widest first: the extension, and the flags that they look for."""
SIXTEEN_BITS: Mapping[str, str] = {
    "avx512_bf16": "BF16", "avx512_fp16": "FP16", "amx_bf16": "AMX", "bf16": "BF16", "asimdhp": "FP16"
}  # fmt: skip
GPU_QUERY = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
GPU_TIMEOUT_S = 20.0


def list_machine_facts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and value: processor, memory, disk at ``folder``, GPUs, Python."""
    memory = psutil.virtual_memory()
    usable = len(os.sched_getaffinity(0))
    yield "cpu", f"{kind_of_cpu()}, {count(usable, 'core')} for this process of {os.cpu_count()}"
    yield "memory", f"{format_bytes(memory.total)}, {format_bytes(memory.available)} available"
    yield "disk", f"{format_bytes(shutil.disk_usage(folder).free)} free at {folder}"
    yield "gpu", "; ".join(list_gpus()) or "none found (nothing that ships with the project needs one)"
    yield "python", f"{platform.python_version()} at {sys.executable}"


def list_gpus() -> list[str]:
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


def kind_of_cpu() -> str:
    """Return model and vector extensions: CPUs of other extensions round otherwise."""
    said = _cpu_info()
    model = said.get("model name") or platform.processor() or platform.machine()
    flags = said.get("flags") or said.get("Features") or ""
    return f"{model}, {vector_extensions(flags.split())}"


def vector_extensions(flags: Iterable[str]) -> str:
    """Return the widest extension that a processor with these flags has, and its formats of 16 bits."""
    found = set(flags)
    widest = next((name for name, needed in VECTORS.items() if needed <= found), "no vector extension known")
    short = dict.fromkeys(name for flag, name in SIXTEEN_BITS.items() if flag in found)
    return f"{platform.machine()} {widest}" + (f" with {', '.join(short)}" if short else "")


def _cpu_info() -> Mapping[str, str]:
    """Return what Linux says of the first processor."""
    if not CPU_INFO.is_file():
        return {}
    first, _, _ = CPU_INFO.read_text(encoding="utf-8", errors="replace").strip().partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
