"""How much memory something takes at its most, as the machine counts it: foreign code's share is in it."""

import ctypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"
"""What the kernel takes for: forget the peak so far (proc_pid_clear_refs)."""


def with_peak_bytes(do: Callable[[], T]) -> tuple[T, int]:
    """Return what ``do`` returns, and by how many bytes this process grew meanwhile, at its most. On Linux.

    What had been freed before is handed back first, so that it does not hide what is asked for now.
    """
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    before = _status_bytes("VmRSS")
    done = do()
    return done, _status_bytes("VmHWM") - before


def _status_bytes(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), flags=re.MULTILINE)
    assert found is not None
    return 1024 * int(found[1])
