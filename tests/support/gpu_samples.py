"""How busy a GPU is and how much of its memory is taken, as nvidia-smi samples it."""

import subprocess
import time
from dataclasses import dataclass
from shutil import which
from threading import Thread
from typing import Self

PERIOD_MS = 100
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One line of nvidia-smi, and when it came by ``time.perf_counter``."""

    at_s: float
    busy: float
    """Share of nvidia-smi's last period in which a kernel ran."""
    used_bytes: int
    """By all processes."""


class GpuSamples:
    """Samples for as long as the context lasts; none on a CPU or without nvidia-smi."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._samples: list[GpuSample] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        program = which("nvidia-smi")
        if program is not None and self._device.startswith("cuda"):
            query = ["--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
            number = self._device.partition(":")[2] or "0"
            command = [program, *query, f"--id={number}", f"--loop-ms={PERIOD_MS}"]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            self._reader = Thread(target=self._read, daemon=True)
            self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._reader.join()
            self._process.communicate()

    def busy_share(self, began_s: float, ended_s: float) -> float | None:
        """Return the mean share between two moments; None if there is no sample."""
        inside = [each.busy for each in self._samples if began_s <= each.at_s <= ended_s]
        return sum(inside) / len(inside) if inside else None

    def peak_bytes(self) -> int:
        """Return what was taken at most beyond what the first sample found taken; 0 without samples."""
        used = [each.used_bytes for each in self._samples]
        return max(used) - used[0] if used else 0

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            share, _, used = line.partition(",")
            if share.strip().isdigit() and used.strip().isdigit():  # else a GPU that does not tell
                sample = GpuSample(time.perf_counter(), int(share) / 100.0, int(used) * MEBIBYTE)
                self._samples.append(sample)
